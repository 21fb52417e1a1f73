"""The charts of a pack as SVG: the same figures, the same bytes.

Text is measured in the typeface that the drawing library brings along, and set in the typeface of
the document that shows the chart; no typeface of the machine has a part in it. Amounts become
floats here, to be places on a canvas.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import altair as alt
import vl_convert

from clearhouse.gl.reports.figures import Figures
from clearhouse.gl.reports.operations import ALL_BASINS

FONT = "Liberation Sans, Libertinus Serif, sans-serif"
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"
"""Of Okabe and Ito's palette, which colour-blind readers can tell apart."""
_PALETTE = [BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]
_WIDE, _NARROW, _HEIGHT = 620, 290, 170
_MILLION = 1_000_000
_THOUSAND = 1_000
_GALLONS_A_BARREL = 42
_MCF_A_BOE = 6
_NATURES = 6
"""Of cost that have a colour of their own."""

_UNDRAWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u2028\u2029\ufffe\uffff]")
"""What XML can't hold, by which the drawing library ends the whole process, and what ends a line of
the program that it makes of a chart."""

Drawing = Any
"""A chart, or None where there are no figures; the library does not type a chart with encodings."""

_CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titleColor": GREY,
        "labelColor": GREY,
        "gridColor": "#e6e6e6",
        "domainColor": "#999999",
        "tickColor": "#999999",
    },
    "title": {"anchor": "start", "fontSize": 13, "fontWeight": "bold", "offset": 8},
    "legend": {
        "title": None,
        "orient": "top",
        "labelFontSize": 11,
        "symbolSize": 60,
        "offset": 4,
        "labelLimit": 240,
    },
    "range": {"category": _PALETTE},
}


def draw(figures: Figures) -> dict[str, str]:
    """All charts by name; one without any figures is left out."""
    charts = {
        "production": _production(figures),
        "revenue": _revenue(figures),
        "lifting_cost": _lifting_cost(figures),
        "oil_price": _price(figures, "OIL", "Oil: realized and benchmark", "USD per bbl"),
        "gas_price": _price(figures, "GAS", "Gas: realized and benchmark", "USD per mcf"),
        "jib": _jib(figures),
        "cash": _cash(figures),
    }
    return {name: _svg(chart) for name, chart in charts.items() if chart is not None}


def _svg(chart: Drawing) -> str:
    """A chart drawn; ids in it are counted, and nothing is read from the machine."""
    specification = chart.to_dict()
    specification["config"] = _CONFIG
    return str(vl_convert.vegalite_to_svg(specification, vl_version=_version(specification)))


def _version(specification: Mapping[str, Any]) -> str:
    """The drawing library's name of the specification's version, such as 5.8 of v5.8.0."""
    return ".".join(str(specification["$schema"]).rpartition("/v")[2].split(".")[:2])


def _chart(rows: Sequence[Mapping[str, Any]], title: str, width: int = _NARROW) -> alt.Chart:
    values = [{name: _drawable(value) for name, value in row.items()} for row in rows]
    return alt.Chart(alt.InlineData(values=values), title=title, width=width, height=_HEIGHT)


def _drawable(value: Any) -> Any:
    """A value; text, which can be any ledger's, with a mark for each character that can't stand."""
    return _UNDRAWABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _float(value: Decimal | None, unit: int = 1) -> float | None:
    return None if value is None else float(value / unit)


def _months(title: str | None = None) -> alt.X:
    axis = alt.Axis(labelAngle=0, labelOverlap=True, grid=False)
    return alt.X("month:O", title=title, axis=axis)


def _amounts(field: str, title: str, *, stack: bool = False, zero: bool = True) -> alt.Y:
    axis = alt.Axis(tickCount=5, domain=False, ticks=False)
    kept: Any = "zero" if stack else None
    return alt.Y(f"{field}:Q", title=title, axis=axis, stack=kept, scale=alt.Scale(zero=zero))


def _production(figures: Figures) -> Drawing:
    found = figures.by_month
    rows = [
        {"month": r["fiscal_period"], "product": product, "order": at, "boe": _float(value, 1_000)}
        for r in found
        for at, (product, value) in enumerate(
            {
                "Oil": r["oil_bbl"],
                "Gas": r["gas_mcf"] / _MCF_A_BOE,
                "NGL": r["ngl_gal"] / _GALLONS_A_BARREL,
            }.items()
        )
    ]
    if not rows:
        return None
    return (
        _chart(rows, "Production sold by period")
        .mark_bar(width={"band": 0.6})
        .encode(
            _months(),
            _amounts("boe", "thousand BOE", stack=True),
            alt.Color("product:N", sort=["Oil", "Gas", "NGL"]),
            alt.Order("order:Q"),
        )
    )


def _revenue(figures: Figures) -> Drawing:
    rows = [
        {"month": r["fiscal_period"], "revenue": _float(r["revenue"], _MILLION)}
        for r in figures.by_month
    ]
    if not rows:
        return None
    return (
        _chart(rows, "Revenue by period, own share")
        .mark_bar(color=BLUE, width={"band": 0.6})
        .encode(_months(), _amounts("revenue", "million USD"))
    )


def _lifting_cost(figures: Figures) -> Drawing:
    rows = [
        {
            "month": r["fiscal_period"],
            "basin": r["basin"],
            "cost": _float(r["operating_expense"] / r["boe"]),
        }
        for r in figures.basins
        if r["basin"] != ALL_BASINS and r["boe"]
    ]
    if not rows:
        return None
    return (
        _chart(rows, "Lease operating expense per BOE, by basin", _WIDE)
        .mark_line(point=True, strokeWidth=1.6)
        .encode(_months(), _amounts("cost", "USD per BOE"), alt.Color("basin:N"))
    )


def _price(figures: Figures, product: str, title: str, unit: str) -> Drawing:
    rows = []
    series = "benchmark"
    for r in figures.prices:
        if r["product"] != product or not r["volume"]:
            continue
        series = r["benchmark_series"] or series
        month = r["production_month"]
        rows.append({"month": month, "of": "Realized", "price": _float(r["realized_price"])})
        if r["benchmark_price"] is not None:
            price = _float(r["benchmark_price"])
            rows.append({"month": month, "of": f"EIA {series}", "price": price})
    if not rows:
        return None
    return (
        _chart(rows, title)
        .mark_line(point=True, strokeWidth=1.6)
        .encode(
            _months(),
            _amounts("price", unit, zero=False),
            alt.Color("of:N", sort=["Realized", f"EIA {series}"]),
        )
    )


def _jib(figures: Figures) -> Drawing:
    """Bills by partner, cut by nature of cost; the smaller natures are one."""
    by_nature: dict[str, Decimal] = {}
    for r in figures.jib:
        by_nature[r["caption"]] = by_nature.get(r["caption"], Decimal(0)) + abs(r["amount"])
    largest = sorted(by_nature, key=lambda nature: (-by_nature[nature], nature))[:_NATURES]
    billed: dict[tuple[str, str], Decimal] = {}
    for r in figures.jib:
        key = r["partner_id"], r["caption"] if r["caption"] in largest else "Other"
        billed[key] = billed.get(key, Decimal(0)) + r["amount"]
    rows = [
        {"partner": partner, "nature": nature, "amount": _float(amount, _THOUSAND)}
        for (partner, nature), amount in sorted(billed.items())
    ]
    if not rows:
        return None
    colours = alt.Color("nature:N", sort=[*largest, "Other"], legend=alt.Legend(orient="right"))
    return (
        _chart(rows, "Billed to partners", _WIDE)
        .mark_bar(width={"band": 0.6})
        .encode(
            alt.X("partner:N", title=None, axis=alt.Axis(labelAngle=0, grid=False)),
            _amounts("amount", "thousand USD", stack=True),
            colours,
        )
    )


def _cash(figures: Figures) -> Drawing:
    rows = [
        {"month": r["fiscal_period"], "cash": _float(r["closing_balance"], _MILLION)}
        for r in figures.cash
        if r["fiscal_period"] in figures.periods.months
    ]
    if not rows:
        return None
    return (
        _chart(rows, "Cash at the end of the period", _WIDE)
        .mark_bar(color=GREEN, width={"band": 0.6})
        .encode(_months(), _amounts("cash", "million USD"))
    )
