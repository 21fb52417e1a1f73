"""Tampering with the gold fact, for people and tests who want to see the books find it."""

from collections.abc import Mapping
from types import MappingProxyType

from clearhouse.bnpl.context import DATASET, DOMAIN
from clearhouse.bnpl.spine import GOLD
from clearhouse.engines.duckdb import DuckDBEngine

TAMPERINGS: Mapping[str, str] = MappingProxyType(
    {
        "steal": "deleted from the gold fact",
        "double": "of the gold fact written twice",
        "change": "of the gold fact with a cent more",
    }
)


def tamper(engine: DuckDBEngine, kind: str, count: int) -> int:
    """Change the first `count` published rows, in order of record id; how many there were."""
    chosen = f"""SELECT r.rowid FROM {GOLD} r JOIN ops.publication p
        ON p.domain = '{DOMAIN}' AND p.dataset = '{DATASET}'
        AND p.book_date = r._book_date AND p.entry_id = r._entry_id
        ORDER BY r._record_id LIMIT {int(count)}"""
    statement = {
        "steal": f"DELETE FROM {GOLD} WHERE rowid IN ({chosen})",
        "double": f"INSERT INTO {GOLD} SELECT * FROM {GOLD} WHERE rowid IN ({chosen})",
        "change": f"UPDATE {GOLD} SET amount = amount + 0.01 WHERE rowid IN ({chosen})",
    }[kind]
    touched = len(engine.query(chosen))
    engine.execute(statement)
    return touched
