"""What a period's close rests on: open items, subledgers, reversals, numbers, and the books."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from clearhouse.gl.reports.evidence import Day, Evidence
from clearhouse.gl.reports.figures import Figures, Rows
from clearhouse.gl.reports.model import Column, Kind, Row, Style, Table, Terms, key_of
from clearhouse.gl.reports.statements import label, money

AGEING = "Ageing"
SUSPENSE = "Owner suspense"
SUBLEDGERS = "Subledgers"
ACCRUALS = "Accruals reversed"
CORRECTIONS = "Corrections"
LATE = "Late postings"
NUMBERS = "Entry numbers"
BOOKS = "Books by day"

_AGES = {
    "not_due": "Not due",
    "days_1_30": "1–30 days",
    "days_31_60": "31–60 days",
    "days_61_90": "61–90 days",
    "over_90": "Over 90 days",
}
_SHOWN_PARTIES = 12
_SHOWN_ENTRIES = 40


def ageing(figures: Figures) -> Table:
    """Open items by how long they are due, by account and party."""
    accounts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in figures.ageing:
        accounts[row["account_code"]].append(row)
    rows: list[Row] = []
    for account, found in accounts.items():
        name = f"{account} {found[0]['account_name']}"
        rows.append(Row(f"heading:{account}", {"label": name}, Style.HEADING))
        largest = sorted(found, key=lambda r: (-abs(sum(r[age] for age in _AGES)), r["party_id"]))
        parties = [
            Row(
                key_of(account, r["party_type"], r["party_id"]),
                {"label": r["party_id"], **{age: r[age] for age in _AGES}},
                is_detail=at >= _SHOWN_PARTIES,
            )
            for at, r in enumerate(largest)
        ]
        total = f"Total {account}" + _of_all(len(parties), _SHOWN_PARTIES, "parties")
        adds = Terms.of([row.key for row in parties])
        rows += [*parties, Row(f"total:{account}", {"label": total}, Style.SUBTOTAL, adds)]
    columns = (
        label("Party", 28),
        *(money(age, title) for age, title in _AGES.items()),
        money("total", "Total", Terms.of(list(_AGES))),
    )
    return Table(AGEING, columns, tuple(rows))


def _of_all(count: int, shown: int, what: str) -> str:
    return f", all {count} {what}" if count > shown else ""


def suspense(figures: Figures) -> Table:
    """What is owed to owners and held back, the largest first."""
    largest = sorted(figures.suspense, key=lambda r: (-r["amount"], r["owner_id"]))
    rows = [
        Row(
            key_of(r["owner_id"]),
            {"label": r["owner_id"], "amount": r["amount"]},
            is_detail=at >= _SHOWN_ENTRIES,
        )
        for at, r in enumerate(largest)
    ]
    told = "Total" + _of_all(len(rows), _SHOWN_ENTRIES, "owners")
    total = Row("total", {"label": told}, Style.TOTAL, Terms.of([row.key for row in rows]))
    return Table(SUSPENSE, (label("Owner", 30), money("amount", "Suspended")), (*rows, total))


def subledgers(figures: Figures) -> Table:
    """Each control account beside its subledger."""
    rows = [
        Row(
            r["account_code"],
            {
                "label": f"{r['account_code']} {r['account_name']}",
                "control": r["control_balance"],
                "subledger": r["subledger_balance"],
            },
        )
        for r in figures.subledgers
    ]
    total = Row("total", {"label": "Total"}, Style.TOTAL, Terms.of([row.key for row in rows]))
    columns = (
        label("Control account"),
        money("control", "Control account"),
        money("subledger", "Subledger"),
        money("difference", "Difference", Terms.of(["control"], ["subledger"])),
    )
    return Table(SUBLEDGERS, columns, (*rows, total))


def accruals(figures: Figures) -> Table:
    """Accruals of the prior period beside their reversals in this one, by journal source."""
    rows = [
        Row(
            key_of(r["journal_source"]),
            {
                "label": r["journal_source"],
                "accruals": r["accruals"],
                "accrued": r["accrued"],
                "reversals": r["reversals"],
                "reversed": r["reversed"],
            },
        )
        for r in figures.accruals
    ]
    total = Row("total", {"label": "Total"}, Style.TOTAL, Terms.of([row.key for row in rows]))
    columns = (
        label("Journal source", 18),
        Column("accruals", "Accruals", Kind.COUNT, 10),
        money("accrued", "Accrued"),
        Column("reversals", "Reversals", Kind.COUNT, 10),
        money("reversed", "Reversed"),
        Column("open", "Not reversed", Kind.COUNT, 10, Terms.of(["accruals"], ["reversals"])),
        money("difference", "Difference", Terms.of(["accrued"], ["reversed"])),
    )
    return Table(ACCRUALS, columns, (*rows, total))


def corrections(figures: Figures) -> Table:
    """Entries that reverse something else than an accrual."""
    extra = (Column("reverses", "Reverses", Kind.TEXT, 12),)
    return Table(CORRECTIONS, _entry_columns(extra), _entries(figures.corrections, "reverses"))


def late(figures: Figures) -> Table:
    """Entries that were recorded after the period's last day."""
    extra = (Column("lines", "Lines", Kind.COUNT, 6),)
    return Table(LATE, _entry_columns(extra), _entries(figures.late, "lines"))


def _entry_columns(extra: Sequence[Column]) -> tuple[Column, ...]:
    return (
        label("Entry", 12),
        *extra,
        Column("posted", "Posted", Kind.DATE, 10),
        Column("recorded", "Recorded", Kind.DATE, 10),
        Column("source", "Source", Kind.TEXT, 9),
        Column("description", "Description", Kind.TEXT, 52),
        Column("created_by", "Prepared", Kind.TEXT, 9),
        Column("approved_by", "Approved", Kind.TEXT, 9),
        money("amount", "Amount"),
    )


def _entries(found: Rows, extra: str) -> tuple[Row, ...]:
    """The largest entries in print, all of them in the workbook."""
    largest = sorted(found, key=lambda r: (-r["amount"], r["journal_entry"]))
    shown = {r["journal_entry"] for r in largest[:_SHOWN_ENTRIES]}
    rows = [
        Row(
            key_of(r["journal_entry"], str(at)),  # its lines may differ in their days
            {
                "label": r["journal_entry"],
                extra: r[extra],
                "posted": r["posting_date"],
                "recorded": r["recorded_on"],
                "source": r["journal_source"],
                "description": r["description"],
                "created_by": r["created_by"],
                "approved_by": r["approved_by"],
                "amount": r["amount"],
            },
            is_detail=r["journal_entry"] not in shown,
        )
        for at, r in enumerate(found)
    ]
    told = "Total" + _of_all(len(rows), _SHOWN_ENTRIES, "entries")
    total = Row("total", {"label": told}, Style.TOTAL, Terms.of([row.key for row in rows]))
    return (*rows, total)


def numbers(figures: Figures) -> Table:
    """The numbers of each ledger's and period's entries: first, last, how many, and those missing.

    The marts are of all ledgers, and each numbers its own entries.
    """
    first: dict[str, str] = {}
    for r in figures.numbers:
        first.setdefault(r["ledger"], r["fiscal_period"])
    rows = [
        Row(
            key_of(r["ledger"], r["fiscal_period"]),
            {
                "label": " ".join((r["fiscal_period"], *([r["ledger"]] if len(first) > 1 else []))),
                "first": r["first_number"],
                "last": r["last_number"],
                "entries": r["entries"],
                "unknown": r["first_number"] - 1 if first[r["ledger"]] == r["fiscal_period"] else 0,
                "lines": r["lines"],
                "debits": r["debits"],
                "credits": r["credits"],
            },
        )
        for r in figures.numbers
    ]
    total = Row(
        "total",
        {"label": "Total", "first": None, "last": None},
        Style.TOTAL,
        Terms.of([row.key for row in rows]),
    )
    columns = (
        label("Period", 10),
        Column("first", "First", Kind.COUNT, 8),
        Column("last", "Last", Kind.COUNT, 8),
        Column("entries", "Entries", Kind.COUNT, 9),
        Column("unknown", "Before the first day", Kind.COUNT, 9),
        Column("missing", "Missing", Kind.COUNT, 8, Terms.of(["last"], ["entries", "unknown"])),
        Column("lines", "Lines", Kind.COUNT, 10),
        money("debits", "Debits"),
        money("credits", "Credits"),
        money("difference", "Difference", Terms.of(["debits"], ["credits"])),
    )
    note = (
        "Numbers begin at 1 in each period of a ledger. Of one that is known from the middle of "
        "its first period on, those before the first day are not known."
    )
    return Table(NUMBERS, columns, (*rows, total), note=note)


def books(figures: Figures, evidence: Evidence) -> Table:
    """What the books hold for each day on which lines of the period were recorded."""
    none = Day(0, 0, 0, Decimal(0), "", "")
    rows = []
    for r in figures.days:
        day = evidence.days.get(r["recorded_on"], none)
        rows.append(
            Row(
                str(r["recorded_on"]),
                {
                    "label": str(r["recorded_on"]),
                    "lines": r["lines"],
                    "records": day.records,
                    "amount": day.amount,
                    "hops": day.hops,
                    "balanced": day.balanced,
                    "unpublished": int(not day.entry_id),
                    "closed": int(bool(day.seal)),
                    "entry": day.entry_id or "not published",
                    "seal": day.seal or "not closed",
                },
            )
        )
    total = Row(
        "total",
        {"label": f"{len(rows)} days"},
        Style.TOTAL,
        Terms.of([row.key for row in rows]),
    )
    columns = (
        label("Book date", 11),
        Column("lines", "Lines of the period", Kind.COUNT, 11),
        Column("records", "Lines of the day", Kind.COUNT, 9),
        Column("amount", "Debits less credits", Kind.MONEY, 13),
        Column("hops", "Entries", Kind.COUNT, 10),
        Column("balanced", "Balanced", Kind.COUNT, 11),
        Column("unpublished", "Not published", Kind.COUNT, 12),
        Column("closed", "Closed", Kind.COUNT, 9),
        Column("entry", "Entry of the published lines", Kind.CODE, 64),
        Column("seal", "SHA-256 of the closing certificate", Kind.CODE, 64),
    )
    return Table(BOOKS, columns, (*rows, total))
