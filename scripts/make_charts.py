"""Draw the answer of each business question: docs/questions/*.sql → docs/questions/*.svg.

How to run, after `make demo` in a checkout with the development tools:
`.venv/bin/python scripts/make_charts.py`.

Data flow: the file that readers open → each question's SQL, as it stands → one SVG file a question.
The sandbox is seeded and the files hold no date, so that the same days give the same pictures.
Amounts become floats here, to be places on a canvas: what is read off as a number is rounded.
"""

import argparse
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import DateFormatter, MonthLocator
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

QUESTIONS = Path(__file__).parents[1] / "docs" / "questions"
RETAILERS = {"retailer_1": "#0072B2", "retailer_2": "#D55E00", "retailer_3": "#009E73"}
"""Their colours: of Okabe and Ito's palette, which colour-blind readers can tell apart."""
GREY = "#555555"
THOUSAND = 1e3
DAY = pd.Timedelta(days=1)
SHOWN_PRODUCTS = 8
SHORTEST_NAMED_DAYS = 60
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.xmargin": 0.01,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "path.simplify_threshold": 0.8,
    "svg.fonttype": "none",  # text stays text: a third of the size, and it can be searched
    "svg.hashsalt": "clearhouse",
    "xtick.color": GREY,
    "ytick.color": GREY,
}


@dataclass(frozen=True)
class Answer:
    """What a question is answered.

    Attributes:
        rows: the rows of its SQL, in their order.
        first, last: the first and the last published book date.
    """

    rows: pd.DataFrame
    first: pd.Timestamp
    last: pd.Timestamp


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description="Draw the answer of each business question.")
    parser.add_argument("--readers", type=Path, default=Path(".clearhouse/published.duckdb"))
    parser.add_argument("--to", type=Path, default=QUESTIONS, help="folder of the charts")
    given = parser.parse_args()
    for path in draw_all(given.readers, given.to):
        print(f"{path}  {path.stat().st_size // 1000} kB")


def draw_all(readers: Path, folder: Path) -> list[Path]:
    """Draw the charts of a file that readers open into a folder; their paths."""
    drawn = []
    with duckdb.connect(str(readers), read_only=True) as connection, mpl.rc_context(STYLE):
        days = "SELECT min(book_date), max(book_date) FROM ops.publication WHERE dataset = ?"
        span = connection.execute(days, ["retail.sales"]).fetchall()[0]
        first, last = map(pd.Timestamp, span)
        for name, draw in CHARTS.items():
            sql = (QUESTIONS / f"{name}.sql").read_text(encoding="utf-8")
            figure = draw(Answer(connection.execute(sql).df(), first, last))
            source = f"docs/questions/{name}.sql, book dates {span[0]} to {span[1]}"
            figure.text(0.99, 0.01, source, ha="right", fontsize=7, color=GREY)
            drawn.append(folder / f"{name}.svg")
            drawn[-1].write_text(_svg(figure), encoding="utf-8")
    return drawn


def _svg(figure: Figure) -> str:
    """The file, without its date; places to a tenth of a point, which a screen can't show finer."""
    # The layout differs in the last digits from run to run, and ids are made from places.
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position().bounds, 4))
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    paths = re.compile(r'(?<= d=")[^"]*')
    return paths.sub(lambda path: re.sub(r"(\.\d)\d+", r"\1", path[0]), file.getvalue())


def _canvas(
    title: str, height: float, rows: int = 1, columns: int = 1, **how: Any
) -> tuple[Figure, Any]:
    """A figure of a height in inches, with a title over rows and columns of axes."""
    figure = Figure(figsize=(9, height), layout="constrained")
    source = 0.22 / height
    figure.get_layout_engine().set(rect=(0.005, source, 0.985, 0.99 - source))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    return figure, figure.subplots(rows, columns, squeeze=False, **how)


def _amounts(axis: Axis, label: str, ticks: int = 5) -> None:
    """Ticks of an axis of USD, from zero on, in thousands or millions as it is long."""
    unit, name = (
        (1e6, "million USD") if axis.get_view_interval()[1] > 5e6 else (1e3, "thousand USD")
    )
    axis.set_major_locator(MaxNLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:,.10g}"))
    axis.set_label_text(", ".join(filter(None, (label, name))))


def _months(axis: Axis, interval: int = 1) -> None:
    axis.set_major_locator(MonthLocator(interval=interval))
    axis.set_major_formatter(DateFormatter("%b"))


def _legend(figure: Figure, colours: dict[str, str]) -> None:
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))


def _by_retailer(panels: Iterable[Any], rows: pd.DataFrame) -> list[tuple[Any, str, pd.DataFrame]]:
    """A panel, a name and the rows of each retailer."""
    named = [(name, rows[rows["retailer"] == name]) for name in RETAILERS]
    return [(panel, *each) for panel, each in zip(panels, named, strict=True)]


def _colours(rows: pd.DataFrame) -> list[str]:
    return [RETAILERS[name] for name in rows["retailer"]]


def _down(axes: Axes, labels: Sequence[str]) -> None:
    """Rows from the top down, in the order of the answer."""
    axes.set_yticks(range(len(labels)), labels, fontsize=8, color="black")
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def sales_by_day(answer: Answer) -> Figure:
    """01: each day's net amount, and what of its gross amount was discounted or returned."""
    figure, panels = _canvas(
        "Sales by day, and what of them was discounted or returned",
        6.2, rows=3, columns=2, sharex=True, sharey="col",
    )  # fmt: skip
    parts = {"discount_amount": "#E69F00", "return_amount": "#CC79A7"}
    days = pd.date_range(answer.first, answer.last)
    for (amounts, shares), name, sold in _by_retailer(panels, answer.rows):
        rows = sold.set_index("sale_date").reindex(days)
        net = rows["net_amount"].fillna(0)
        amounts.fill([days[0], *days, days[-1]], [0, *net, 0], color=RETAILERS[name], linewidth=0)
        for column, colour in parts.items():
            shares.plot(100 * rows[column] / rows["gross_amount"], color=colour, linewidth=1)
        amounts.set_title(f"{name}: net amount")
        shares.set_title(f"{name}: of the gross amount")
        shares.set_ylabel("percent")
        shares.set_ylim(bottom=0)
        _amounts(amounts.yaxis, "", ticks=4)
        _months(amounts.xaxis, 2)
    _legend(figure, {"discounted": parts["discount_amount"], "returned": parts["return_amount"]})
    return figure


def best_sellers(answer: Answer) -> Figure:
    """02: the five products of each retailer that brought most, with their share."""
    figure, panels = _canvas(
        "The five best sellers of each retailer, and their share of its net amount",
        5.4, rows=3, sharex=True,
    )  # fmt: skip
    for axes, name, rows in _by_retailer(panels[:, 0], answer.rows):
        bars = axes.barh(range(len(rows)), rows["net_amount"], color=RETAILERS[name])
        shares = [f"{share:.1f} %" for share in rows["percent_of_retailer"]]
        axes.bar_label(bars, shares, padding=4, fontsize=8)
        axes.set_title(name)
        _down(axes, [f"{row.product_name}, {row.category}" for row in rows.itertuples()])
    _amounts(panels[-1, 0].xaxis, "net amount")
    return figure


def weekly_trend(answer: Answer) -> Figure:
    """03: each whole week's net amount, and its change from the whole week before it."""
    figure, panels = _canvas(
        "Each week's net amount, and its change from the week before",
        6.2, rows=3, columns=2, sharex=True, sharey="col",
    )  # fmt: skip
    mondays = pd.date_range(answer.first, answer.last - 6 * DAY, freq="W-MON")
    edges = [*mondays, *(mondays[-1:] + 7 * DAY)]
    for (amounts, changes), name, rows in _by_retailer(panels, answer.rows):
        weeks = rows["iso_year"].astype(str) + rows["iso_week"].astype(str) + "1"
        whole = rows.set_index(pd.to_datetime(weeks, format="%G%V%u")).reindex(mondays)
        for axes, values in (
            (amounts, whole["net_amount"]),
            (changes, whole["percent_changed"].where(mondays > mondays.min())),
        ):
            if len(mondays):
                axes.stairs(values, edges, baseline=0, fill=True, color=RETAILERS[name])
            _months(axes.xaxis, 2)
        changes.axhline(0, color=GREY, linewidth=0.8)
        changes.set_ylabel("percent")
        amounts.set_title(f"{name}: net amount")
        changes.set_title(f"{name}: change from the week before")
        _amounts(amounts.yaxis, "", ticks=4)
    figure.supxlabel("whole weeks only", fontsize=8, color=GREY)
    return figure


def categories_by_month(answer: Answer) -> Figure:
    """04: net amounts as numbers; as a colour, how a month compares with the category's others."""
    table = answer.rows.pivot_table("net_amount", "category", "month_start", "sum", fill_value=0)
    table = table.loc[table.sum(axis="columns").sort_values(ascending=False).index]
    percent = 100 * table.div(table.mean(axis="columns"), axis="index").to_numpy()
    figure, panels = _canvas("What each category sells in each month, thousand USD", 4.2)
    axes = panels[0, 0]
    image = axes.imshow(percent, cmap="PuOr_r", vmin=40, vmax=160, aspect="auto")
    for (row, column), amount in np.ndenumerate(table.to_numpy()):
        colour = "white" if abs(percent[row, column] - 100) > 45 else "black"
        amount_text = f"{amount / THOUSAND:,.0f}"
        axes.text(column, row, amount_text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(table.shape[1]), [f"{month:%b}" for month in table.columns])
    axes.set_yticks(range(table.shape[0]), table.index, color="black")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, pad=0.01, extend="both", ticks=[40, 70, 100, 130, 160])
    bar.set_label("colour: percent of the category's average month")
    return figure


def weekend(answer: Answer) -> Figure:
    """05: an average day of the weekend beside an average working day."""
    figure, panels = _canvas("Working days beside days of the weekend", 3.2)
    axes = panels[0, 0]
    kinds = {"Monday to Friday": "#56B4E9", "Saturday and Sunday": "#0072B2"}
    for kind, colour in enumerate(kinds.values()):
        rows = answer.rows[answer.rows["is_weekend"] == bool(kind)]
        places = [list(RETAILERS).index(name) + 0.4 * kind - 0.2 for name in rows["retailer"]]
        bars = axes.barh(places, rows["net_amount_a_day"], height=0.36, color=colour)
        amounts = [f"{amount / THOUSAND:,.1f}" for amount in rows["net_amount_a_day"]]
        axes.bar_label(bars, amounts, padding=4, fontsize=8)
    _down(axes, list(RETAILERS))
    _amounts(axes.xaxis, "net amount a day")
    _legend(figure, kinds)
    return figure


def stores(answer: Answer) -> Figure:
    """06: stores by net amount, and the share of what they sell that comes back."""
    title = "What each store sells, and what of it comes back"
    rows = answer.rows
    returned = _Beside(rows["percent_returned"], "returned, percent of what was sold")
    return _ranking(title, rows, rows["store_id"], ("net_amount", "net amount"), returned)


def returned_products(answer: Answer) -> Figure:
    """07: products by the amount that came back, and the share of pieces that did."""
    rows = answer.rows
    names = [f"{row.product_name}, {row.product_code}" for row in rows.itertuples()]
    title = "The products with the highest amounts returned"
    sold = rows["pieces_sold"].where(rows["pieces_sold"] > 0)
    share = _Beside(100 * rows["pieces_returned"] / sold, "returned, percent of pieces sold")
    return _ranking(title, rows, names, ("return_amount", "returned"), share)


def best_customers(answer: Answer) -> Figure:
    """08: customers by net amount, and how often they bought."""
    rows = answer.rows
    names = [f"{row.customer_id}, since {row.first_sale_on:%Y-%m-%d}" for row in rows.itertuples()]
    title = "The customers who buy most, and how often they buy"
    sales = _Beside(rows["sales"], "number of sales")
    return _ranking(title, rows, names, ("net_amount", "net amount"), sales)


class _Beside(NamedTuple):
    """Another measure of the rows of a ranking; none where the value is not known."""

    values: pd.Series
    label: str


def _ranking(
    title: str,
    rows: pd.DataFrame,
    names: Sequence[str],
    amount: tuple[str, str],
    beside: _Beside,
) -> Figure:
    """Amounts (their column, and what they are called) as bars, another measure as points."""
    figure, panels = _canvas(title, 5.6, columns=2, sharey=True, width_ratios=(3, 2))
    bars, points = panels[0]
    column, label = amount
    bars.barh(range(len(rows)), rows[column], color=_colours(rows))
    _down(bars, names)
    _legend(figure, {name: RETAILERS[name] for name in sorted(set(rows["retailer"]))})
    points.scatter(beside.values, range(len(rows)), color=_colours(rows), s=28)
    points.margins(x=0.1)
    points.set_xlim(left=0)
    points.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    points.tick_params(axis="y", length=0)
    _amounts(bars.xaxis, label)
    points.set_xlabel(beside.label)
    return figure


def size_of_a_sale(answer: Answer) -> Figure:
    """09: an average sale in lines and in USD, and how many there were."""
    measures = {
        "lines_a_sale": ("lines a sale", "{:.2f}"),
        "net_amount_a_sale": ("net amount a sale, USD", "{:,.2f}"),
        "sales": ("number of sales", "{:,}"),
    }
    figure, panels = _canvas(
        "The average sale of each retailer, returns left out", 2.4, columns=3, sharey=True
    )
    for axes, (column, (label, form)) in zip(panels[0], measures.items(), strict=True):
        values = answer.rows[column]
        bars = axes.barh(range(len(values)), values, color=_colours(answer.rows))
        axes.bar_label(bars, [form.format(value) for value in values], padding=4, fontsize=8)
        axes.set_xlim(0, 1.35 * values.max())
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter("{x:,.10g}")
        axes.set_xlabel(label)
        _down(axes, answer.rows["retailer"])
    return figure


def under_the_name_of_the_day(answer: Answer) -> Figure:
    """10: of the products whose name or category changed, those that brought most."""
    codes = answer.rows.groupby(["retailer", "product_code"])
    amounts = codes["net_amount"].sum()
    shown = list(amounts[codes.size() > 1].nlargest(SHOWN_PRODUCTS).index)
    figure, panels = _canvas(
        "Products that changed name or category, and what each version brought", 5
    )
    axes = panels[0, 0]
    for row, product in enumerate(shown):
        for number, version in enumerate(codes.get_group(product).itertuples()):
            _version(axes, (row, number), version, answer.last)
    axes.xaxis_date()
    _months(axes.xaxis)
    axes.set_xlabel("days of sale")
    _down(axes, [f"{retailer}\n{code}" for retailer, code in shown])
    return figure


def _version(axes: Axes, place: tuple[int, int], version: Any, last: pd.Timestamp) -> None:
    """A version of a product as a bar over its days; the next one has another hue."""
    row, number = place
    end = last + DAY if pd.isna(version.valid_to) else version.valid_to
    days = (end - version.valid_from).days
    colour = ("#9ECAE1", "#FDD0A2")[number % 2]
    axes.barh(row, days, left=version.valid_from, height=0.8, color=colour, edgecolor="white")
    if days < SHORTEST_NAMED_DAYS:
        return
    middle = version.valid_from + pd.Timedelta(days=days / 2)
    amount = f"{version.net_amount / THOUSAND:,.0f} thousand USD"
    name = f"{version.product_name}\n{version.category}\n{amount}"
    axes.text(middle, row, name, ha="center", va="center", fontsize=7)


CHARTS: dict[str, Callable[[Answer], Figure]] = {
    "01-sales-by-day": sales_by_day,
    "02-best-sellers": best_sellers,
    "03-weekly-trend": weekly_trend,
    "04-categories-by-month": categories_by_month,
    "05-weekend": weekend,
    "06-stores": stores,
    "07-returned-products": returned_products,
    "08-best-customers": best_customers,
    "09-size-of-a-sale": size_of_a_sale,
    "10-under-the-name-of-the-day": under_the_name_of_the_day,
}

if __name__ == "__main__":
    main()
