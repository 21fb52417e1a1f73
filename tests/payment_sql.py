"""The models' SQL of payments over events held in memory: the macros as dbt renders them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
import jinja2
import msgspec
import pyarrow as pa

from clearhouse.core.contract import Contract, type_records
from clearhouse.core.resources import resource
from clearhouse.payments.event import PaymentEvent, encode_event
from clearhouse.payments.settlements.entry import SettlementEntry
from clearhouse.payments.source import PAYMENTS_STORE

Rows = list[dict[str, Any]]
_FILES = ("history", "objects", "disputes", "payments", "settlements", "settled_journal")


@cache
def contract() -> Contract:
    """That of payment events."""
    return Contract.load(resource("contracts") / "payments" / "events.yaml")


class _DuckDB:
    """dbt's adapter, as far as macros ask it: which of several is that of DuckDB."""

    def __init__(self, macros: Mapping[str, Any]) -> None:
        self._macros = macros

    def dispatch(self, name: str, package: str) -> Any:
        del package
        return self._macros.get(f"duckdb__{name}") or self._macros[f"default__{name}"]


@cache
def _macros() -> dict[str, Any]:
    folder = resource("dbt") / "macros" / "payments"
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    source = "".join((folder / f"{name}.sql").read_text(encoding="utf-8") for name in _FILES)
    macros: dict[str, Any] = {}
    environment.globals |= {"adapter": _DuckDB(macros), "return": lambda value: value}
    macros |= vars(environment.from_string(source).module)
    return macros


@cache
def fold_sql() -> str:
    """Views over the table `events`, each made of those before it."""
    macro = _macros()
    queries = {
        "history": macro["events_of_payments"]("events"),
        "captures": macro["captures_of"]("history"),
        "refunds": macro["refunds_of"]("history", "captures"),
        "disputes": macro["disputes_of"]("history"),
        "payouts": macro["payouts_of"]("history"),
        "payments": macro["payments_of"]("history", "captures", "refunds", "disputes"),
        "journal": macro["journal_of"]("history", "captures", "refunds", "disputes", "payouts"),
    }
    return "".join(f"CREATE TEMP TABLE {name} AS {sql};" for name, sql in queries.items())


@cache
def settlements_sql() -> str:
    """Tables over `raw_entries`, settlement entries, and those of the fold."""
    macro = _macros()
    queries = {
        "entries": macro["entries_with_subjects"](
            "raw_entries", "captures", "refunds", "disputes", "payouts"
        ),
        "tie_out": macro["tie_out_of"]("payouts", "entries"),
        "settled": macro["settled_journal"]("captures", "refunds", "disputes", "entries"),
    }
    return "".join(f"CREATE TEMP TABLE {name} AS {sql};" for name, sql in queries.items())


def events_table(events: Iterable[PaymentEvent]) -> pa.Table:
    """Events as bronze holds them, each line once."""
    lines = dict.fromkeys(map(encode_event, events))
    typed = type_records(b"".join(line + b"\n" for line in lines), contract(), PAYMENTS_STORE)
    assert not typed.rejected, typed.rejected[0].violations
    return typed.accepted


def folded(
    events: Iterable[PaymentEvent], *tables: str, entries: Iterable[SettlementEntry] = ()
) -> Sequence[Rows]:
    """Rows of tables of the fold, over these events.

    Args:
        events: of payments and payouts.
        tables: of those that `fold_sql` and, where there are entries, `settlements_sql` make.
        entries: of payouts.
    """
    rows = [msgspec.structs.asdict(entry) for entry in entries]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", events_table(events))
        connection.execute("CREATE TEMP TABLE events AS SELECT * FROM given")
        connection.execute(fold_sql())
        if rows:
            connection.register("raw_entries", pa.Table.from_pylist(rows))
            connection.execute(settlements_sql())
        return [connection.sql(f"FROM {table}").to_arrow_table().to_pylist() for table in tables]
