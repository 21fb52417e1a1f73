"""Rows of the spine: deleted, doubled, invented, changed, in each of its stores."""

from collections.abc import Callable
from functools import partial

from attacks.attack import NotThereError, Told, attack, on
from attacks.forgery import forged
from attacks.groups import HIDDEN, LANDING, ROWS, UNREADABLE, VIEWS
from attacks.homes import Home, Row
from attacks.recipes import CLOSED, HELD, NEVER, RELEASED, SEALED
from attacks.stores import database, rewrite
from clearhouse.core.money import Money

DAYS = {"bronze": CLOSED, "silver": SEALED, "gold": RELEASED}
"""The day on which the rows of a store are changed: so no attack is where another one is."""
Change = Callable[[Home, Row], tuple[str, list[tuple[str, ...]]]]
"""SQL over `rows`, and what must be told of it."""


def _replaced(row: Row, **values: str) -> str:
    columns = ", ".join(
        f"CASE WHEN _record_id = '{row.record_id}' THEN {value} ELSE {name} END AS {name}"
        for name, value in values.items()
    )
    return f"SELECT * REPLACE ({columns}) FROM rows"


def _deleted(_home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    told = f"−1 record, −{row.amount}: {row.name}"
    return f"SELECT * FROM rows WHERE _record_id <> '{row.record_id}'", [(told,)]


def _doubled(_home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    again = f"SELECT * FROM rows UNION ALL SELECT * FROM rows WHERE _record_id = '{row.record_id}'"
    return again, [(f"+1 record, +{row.amount}: {row.name}",)]


def _invented(_home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    invented = f"""SELECT * FROM rows UNION ALL SELECT * REPLACE (
        'invented' || _record_id[9:] AS _record_id, _record_key || '-invented' AS _record_key)
        FROM rows WHERE _record_id = '{row.record_id}'"""
    return invented, [(f"+1 record, +{row.amount}: {row.name}-invented",)]


def _with_a_cent_more(home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    amount, cent = home.at.contract.amount.name, home.at.amount(1, row.amount.currency)
    more = Money(row.amount.minor + 1, row.amount.currency)
    sql = _replaced(row, **{amount: f"{amount} + {cent}"})
    return sql, [(f"{row.name}: {row.amount} became {more}",)]


def _in_another_currency(home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    other = Money(row.amount.minor, "CHF")
    sql = _replaced(row, **{home.at.contract.currency.name: "'CHF'"})
    return sql, [(f"{row.name}: {row.amount} became {other}",)]


def _with_another_text(home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    column = home.at.column
    if not column:
        raise NotThereError("the contract has no column of text")
    told = f'{row.name}: {column} "{row.text}" became "{row.text}~"'
    return _replaced(row, **{column: f"concat({column}, '~')"}), [(told,)]


def _under_another_key(_home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    told = f'{row.name}: _record_key "{row.record_key}" became "{row.record_key}~"'
    return _replaced(row, _record_key="concat(_record_key, '~')"), [(told,)]


def _under_another_id(_home: Home, row: Row) -> tuple[str, list[tuple[str, ...]]]:
    told = [(f"−1 record, −{row.amount}: {row.name}",), (f"+1 record, +{row.amount}: {row.name}",)]
    return _replaced(row, _record_id="'other' || _record_id[6:]"), told


CHANGES: dict[str, Change] = {
    "deleted": _deleted,
    "doubled": _doubled,
    "invented": _invented,
    "with a cent more": _with_a_cent_more,
    "in another currency": _in_another_currency,
    "with another text": _with_another_text,
    "under another key": _under_another_key,
    "under another id": _under_another_id,
}


def _change(store: str, change: Change, home: Home) -> Told:
    day, names = DAYS[store], home.at.names
    row = home.take(day)
    sql, told = change(home, row)
    if store == "bronze" and change is _with_another_text:  # what landed is text itself
        hop = names.silver
        told = [(f'{row.name}: {home.at.column} "{row.text}~" became "{row.text}"',)]
    else:
        hop = {"bronze": names.bronze, "silver": names.silver, "gold": names.gold}[store]
    rewrite(home, store, day, sql)
    return [on(hop, day, *texts) for texts in told]


for _store in DAYS:
    for _name, _made in CHANGES.items():
        attack(ROWS, f"a row of {_store} {_name}")(partial(_change, _store, _made))


@attack(ROWS, "a row of silver marked as superseded")
def _superseded(home: Home) -> Told:
    day, row = SEALED, home.take(SEALED)
    rewrite(home, "silver", day, _replaced(row, _is_superseded="true"))
    return [on(home.at.names.gold, day, f"+1 record, +{row.amount}: {row.name}")]


@attack(ROWS, "a row of silver without a currency")
def _no_currency(home: Home) -> Told:
    row, currency = home.take(SEALED), home.at.contract.currency.name
    rewrite(home, "silver", SEALED, _replaced(row, **{currency: "NULL"}))
    return [on(home.at.names.silver, SEALED, f"{row.name}: {row.amount} became", "XXX")]


@attack(ROWS, "a row that is not visible changed in gold")
def _of_a_held_day(home: Home) -> Told:
    row = home.take(HELD)
    sql, told = _deleted(home, row)
    rewrite(home, "gold", HELD, sql)
    return [on(home.at.names.gold, HELD, *texts) for texts in told]


@attack(VIEWS, "money moved so that count, sum and hash stay the same")
def _forged(home: Home) -> Told:
    changed = forged(home, HELD)
    told = [on(home.at.names.gold, HELD, f"{each}") for each in changed[:20]]
    return [*told, on(home.at.names.gold, HELD, f"and {len(changed) - 20} records more")]


def quarantined(home: Home, nth: int) -> tuple[str, str]:
    """A row of quarantine: its record id, and how it is called."""
    if "rejected" in home.recipe.lacks:
        raise NotThereError(home.recipe.lacks["rejected"])
    rows = database(home, "SELECT record_id, record_key FROM quarantine ORDER BY record_id")
    record_id, key = rows[nth % len(rows)]
    return record_id, home.called(key) or record_id


@attack(ROWS, "a row of quarantine deleted")
def _not_quarantined(home: Home) -> Told:
    record_id, name = quarantined(home, 0)
    database(home, "DELETE FROM quarantine WHERE record_id = ?", record_id)
    return [on(home.at.names.bronze, CLOSED, "−1 record", name)]


@attack(LANDING, "a row of quarantine with another amount")
def _quarantined_for_more(home: Home) -> Told:
    record_id, name = quarantined(home, -1)
    more = "UPDATE quarantine SET amount_minor = amount_minor + 100 WHERE record_id = ?"
    database(home, more, record_id)
    return [on(home.at.names.bronze, CLOSED, f"{name}: ", "became")]


@attack(LANDING, "a row of quarantine invented")
def _quarantined_invented(home: Home) -> Told:
    record_id, _ = quarantined(home, -1)
    columns = """dataset, book_date, record_id, record_key, entry_id, object_key, line, code,
        violations, raw, amount_minor, currency"""
    values = columns.replace("record_id", "'invented'").replace("record_key", "'x|invented'")
    invented = f"INSERT INTO quarantine ({columns}) SELECT {values} FROM quarantine"
    database(home, f"{invented} WHERE record_id = ?", record_id)
    return [on(home.at.names.bronze, CLOSED, "+1 record", "invented")]


@attack(ROWS, "a row of silver of a day that never was")
def _of_no_day(home: Home) -> Told:
    row = home.take(SEALED)
    again = f"""SELECT * FROM rows UNION ALL SELECT * REPLACE (DATE '{NEVER}' AS _book_date)
        FROM rows WHERE _record_id = '{row.record_id}'"""
    rewrite(home, "silver", SEALED, again)
    return [on(home.at.names.silver, NEVER, f"+1 record, +{row.amount}: {row.name}")]


@attack(HIDDEN, "a row of quarantine of a day that never was")
def _quarantined_on_no_day(home: Home) -> Told:
    record_id, name = quarantined(home, 0)
    columns = "dataset, record_id, record_key, entry_id, object_key, line, code, violations, raw"
    columns += ", amount_minor, currency"
    database(
        home,
        f"""INSERT INTO quarantine (book_date, {columns})
            SELECT '{NEVER}', {columns} FROM quarantine WHERE record_id = ?""",
        record_id,
    )
    return [on(home.at.names.bronze, NEVER, "+1 record", name)]


@attack(UNREADABLE, "a row of quarantine with an amount that is no number")
def _quarantined_for_nonsense(home: Home) -> Told:
    record_id, _ = quarantined(home, 0)
    edit = "UPDATE quarantine SET amount_minor = 'lots' WHERE record_id = ?"
    database(home, edit, record_id)
    return [on(home.at.names.bronze, CLOSED, "quarantine can't be read", "lots")]
