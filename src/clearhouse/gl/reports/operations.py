"""What wells and leases earned and cost, prices beside benchmarks, partners' bills, and AFEs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from clearhouse.gl.reports.figures import Figures
from clearhouse.gl.reports.model import Column, Kind, Ratio, Row, Style, Table, Terms, key_of
from clearhouse.gl.reports.statements import label, money

LEASES = "Leases"
TOP_WELLS = "Top wells"
WELLS = "Wells"
COSTS = "Cost per BOE"
ALL_BASINS = "All basins"
"""The mart's row of all, with what belongs to no basin."""
PRICES = "Prices"
JIB = "Joint-interest billing"
AFE = "AFE"

_SHOWN_WELLS = 20
_SHOWN_AFES = 40
_PLACE = ("well_id", "lease_name", "property_id", "basin", "state")
"""What tells a period's rows of wells apart."""
_SUMS = ("boe", "revenue", "production_tax", "operating_expense", "net_operating_income")


def _volume(key: str, title: str, width: float = 11) -> Column:
    return Column(key, title, Kind.VOLUME, width)


def _per_boe(key: str, title: str, of: str) -> Column:
    return Column(key, title, Kind.RATE, 8, Ratio(of, "boe"))


def _economics() -> tuple[Column, ...]:
    """The columns of a lease operating statement."""
    return (
        _volume("boe", "BOE"),
        money("revenue", "Revenue"),
        money("production_tax", "Production tax"),
        money("operating_expense", "Operating expense"),
        money(
            "net_operating_income",
            "Net operating income",
            Terms.of(["revenue"], ["production_tax", "operating_expense"]),
        ),
        _per_boe("cost_per_boe", "Cost per BOE", "operating_expense"),
        _per_boe("margin_per_boe", "NOI per BOE", "net_operating_income"),
    )


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in _SUMS[:-1]}


def leases(figures: Figures) -> Table:
    """The lease operating statement by property, and by name where lines name it otherwise."""
    found: dict[str, dict[str, Any]] = {}
    wells: dict[str, set[str]] = defaultdict(set)
    for row in figures.wells:
        key = key_of(row["property_id"], row["lease_name"])
        lease = found.setdefault(
            key,
            {"label": row["lease_name"], "basin": row["basin"], "state": row["state"]}
            | dict.fromkeys(_SUMS[:-1], Decimal(0)),
        )
        wells[key].add(row["well_id"])
        for name, amount in _kept(row).items():
            lease[name] += amount or 0
    by_name = sorted(found.items(), key=lambda f: (f[1]["label"] or "", f[0]))
    rows = [Row(key, {**cells, "wells": len(wells[key])}) for key, cells in by_name]
    columns = (
        label("Lease", 22),
        Column("basin", "Basin", Kind.TEXT, 13),
        Column("state", "State", Kind.TEXT, 6),
        Column("wells", "Wells", Kind.COUNT, 6),
        *_economics(),
    )
    return Table(LEASES, columns, (*rows, _total(rows, wells=_count(figures.wells))))


def _count(rows: Iterable[Mapping[str, Any]]) -> int:
    """The wells of rows: one has several where its lines don't agree on where it is."""
    return len({row["well_id"] for row in rows})


def wells(figures: Figures) -> Table:
    """The same by well."""
    rows = [_well(row) for row in figures.wells]
    return Table(WELLS, _well_columns(), (*rows, _total(rows)), only_workbook=True)


def top_wells(figures: Figures) -> Table:
    """The wells that earned most, and what the others come to."""
    by_income = sorted(
        figures.wells, key=lambda r: (-(r["net_operating_income"] or 0), r["well_id"])
    )
    rows = [_well(row) for row in by_income[:_SHOWN_WELLS]]
    others = by_income[_SHOWN_WELLS:]
    if others:
        sums = {key: sum((r[key] or 0 for r in others), Decimal(0)) for key in _SUMS[:-1]}
        rows.append(Row("others", {"label": f"{_count(others)} other wells", **sums}))
    return Table(TOP_WELLS, _well_columns(), (*rows, _total(rows)))


def _well(row: Mapping[str, Any]) -> Row:
    return Row(
        key_of(*(row[each] for each in _PLACE)),
        {"label": row["well_id"], "lease": row["lease_name"], "basin": row["basin"], **_kept(row)},
    )


def _well_columns() -> tuple[Column, ...]:
    return (
        label("Well", 14),
        Column("lease", "Lease", Kind.TEXT, 20),
        Column("basin", "Basin", Kind.TEXT, 13),
        *_economics(),
    )


def _total(rows: list[Row], **cells: int) -> Row:
    adds = Terms.of([row.key for row in rows])
    return Row("total", {"label": "Total", **cells}, Style.TOTAL, adds)


def costs(figures: Figures) -> Table:
    """What a barrel of oil equivalent cost by basin."""
    this = figures.periods.this
    parts = {
        "operating_expense": "LOE",
        "production_tax": "Prod. tax",
        "gathering": "Gathering",
        "general_administrative": "G&A",
        "depletion": "DD&A",
    }
    kept = ("boe", *parts)
    found = {
        r["basin"]: {k: r[k] for k in kept} for r in figures.basins if r["fiscal_period"] == this
    }
    whole = found.pop(ALL_BASINS, None)
    if whole is not None:
        found["Of no basin"] = {
            key: whole[key] - sum((each[key] for each in found.values()), Decimal(0))
            for key in kept
        }
    rows = [Row(key_of(basin), {"label": basin, **sums}) for basin, sums in found.items()]
    columns = (
        label("Basin", 15),
        _volume("boe", "BOE"),
        *(money(key, title) for key, title in parts.items()),
        *(_per_boe(f"{key}_per_boe", f"{title} per BOE", key) for key, title in parts.items()),
    )
    return Table(COSTS, columns, (*rows, _total(rows)))


def prices(figures: Figures) -> Table:
    """Realized prices of the last production months beside EIA's benchmarks."""
    rows = [
        Row(
            key_of(r["production_month"], r["product"], r["unit"]),
            {
                "label": r["production_month"],
                "product": r["product"],
                "unit": r["unit"],
                "volume": r["volume"],
                "revenue": r["revenue"],
                "series": r["benchmark_series"],
                "benchmark": r["benchmark_price"],
            }
            | ({} if r["benchmark_price"] is not None else {"differential": None}),
        )
        for r in figures.prices
        if r["volume"]
    ]
    columns = (
        label("Production month", 12),
        Column("product", "Product", Kind.TEXT, 8),
        Column("unit", "Unit", Kind.TEXT, 6),
        _volume("volume", "Volume sold"),
        money("revenue", "Revenue"),
        Column("realized", "Realized", Kind.PRICE, 9, Ratio("revenue", "volume", 4)),
        Column("series", "EIA series", Kind.TEXT, 10),
        Column("benchmark", "Benchmark", Kind.PRICE, 9),
        Column(
            "differential", "Differential", Kind.PRICE, 10, Terms.of(["realized"], ["benchmark"])
        ),
    )
    return Table(PRICES, columns, tuple(rows))


def jib(figures: Figures) -> Table:
    """What partners were billed, by partner and nature of cost."""
    natures = list(dict.fromkeys(row["caption"] for row in figures.jib))
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    billed: dict[str, set[str]] = defaultdict(set)
    charged: dict[str, set[str]] = defaultdict(set)
    for row in figures.jib:
        amounts[row["partner_id"]][row["caption"]] += row["amount"]
        if row["jib_number"] is not None:  # the month's bill is still to come
            billed[row["partner_id"]].add(row["jib_number"])
        charged[row["partner_id"]].add(row["well_id"])
    rows = [
        Row(
            key_of(partner),
            {
                "label": partner,
                "bills": len(billed[partner]),
                "wells": len(charged[partner]),
                **amounts[partner],
            },
        )
        for partner in sorted(amounts)
    ]
    columns = (
        label("Partner", 11),
        Column("bills", "Bills", Kind.COUNT, 6),
        Column("wells", "Wells", Kind.COUNT, 7),
        *(money(nature, nature) for nature in natures),
        money("billed", "Billed", Terms.of(natures)),
    )
    return Table(JIB, columns, (*rows, _total(rows, wells=_count(figures.jib))))


def afe(figures: Figures) -> Table:
    """Spending by AFE against its budget, the furthest over budget first."""
    by_use = sorted(figures.afe, key=lambda r: (-_use(r), r["afe_number"]))
    rows = [
        Row(
            key_of(r["afe_number"]),
            {
                "label": r["afe_number"],
                "well": r["well_id"],
                "last": r["last_spent_on"],
                "budget": r["budget"],
                "spent": r["spent_gross"],
                "net": r["spent_net"],
                "accrued": r["accrued_gross"],
            },
            is_detail=at >= _SHOWN_AFES,
        )
        for at, r in enumerate(by_use)
    ]
    columns = (
        label("AFE", 14),
        Column("well", "Well", Kind.TEXT, 11),
        Column("last", "Last spent on", Kind.DATE, 11),
        money("budget", "Budget, gross"),
        money("spent", "Spent, gross"),
        money("accrued", "Of it accrued"),
        money("net", "Spent, own share"),
        money("remaining", "Remaining", Terms.of(["budget"], ["spent"])),
        Column("used", "Used", Kind.PERCENT, 8, Ratio("spent", "budget", 4)),
    )
    beyond = max(len(rows) - _SHOWN_AFES, 0)
    others = f" {beyond} more AFEs are in the workbook; the total is of all." if beyond else ""
    note = "To the newest posting, whatever its period." + others
    return Table(AFE, columns, (*rows, _total(rows)), note=note)


def _use(row: Mapping[str, Any]) -> Decimal:
    return row["spent_gross"] / row["budget"] if row["budget"] else Decimal(0)
