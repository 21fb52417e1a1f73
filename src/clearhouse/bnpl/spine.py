"""The BNPL spine: which rows of which store stand on which side of each hop."""

from clearhouse.bnpl.context import (
    BRONZE_TO_SILVER,
    DATASET,
    DOMAIN,
    GOLD_TO_READERS,
    LANDING_TO_BRONZE,
    SILVER_TO_GOLD,
    SOURCE_TO_LANDING,
)
from clearhouse.books.hop import Hop, Leg
from clearhouse.books.measure import minor_sql
from clearhouse.books.model import Side
from clearhouse.core.contract import Contract
from clearhouse.engines.duckdb import DuckDBEngine, EngineSpine
from clearhouse.lake.iceberg import BronzeSpine, Lake
from clearhouse.landing.spine import LandingReader, LandingSpine, Lines
from clearhouse.store.quarantine import Quarantine, QuarantineSpine

SILVER = "silver.stg_bnpl_raw_transactions"
GOLD = "gold.fct_bnpl_transactions"
HIDDEN = "gold.int_bnpl_hidden_records"
READERS = "marts.mart_bnpl_transactions"

CANDIDATES = f"""{GOLD} r JOIN ops.candidate c
    ON c.domain = '{DOMAIN}' AND c.book_date = r._book_date AND c.entry_id = r._entry_id"""
"""SQL for the gold rows `r` that await, or have passed, the gate."""
_PUBLISHED = f"""{GOLD} r JOIN ops.publication p
    ON p.domain = '{DOMAIN}' AND p.dataset = '{DATASET}'
    AND p.book_date = r._book_date AND p.entry_id = r._entry_id"""


def spine(
    contract: Contract,
    reader: LandingReader,
    lake: Lake,
    engine: DuckDBEngine,
    quarantine: Quarantine,
) -> dict[str, Hop]:
    """The hops in order, by name."""
    landed = LandingSpine(reader)
    repeated = LandingSpine(reader, Lines.REPEATED)
    amount, currency = contract.amount, contract.currency
    digits = amount.arrow_type.precision
    bronze = BronzeSpine(lake, DATASET, minor_sql(amount.name, currency.name, digits=digits))
    minor = minor_sql(f"r.{amount.name}", f"r.{currency.name}", digits=digits)
    columns = f"r._book_date, r._record_id, r._record_key, {minor} AS amount_minor, r.currency"

    def rows(relation: str, where: str = "true", of: str | None = None) -> EngineSpine:
        sql = f"SELECT {columns} FROM {of or f'{relation} r'} WHERE {where}"
        return EngineSpine(engine, relation, sql)

    silver = rows(SILVER, "NOT r._is_superseded")
    hops = (
        Hop(SOURCE_TO_LANDING, (Leg(Side.OUT, landed),)),
        Hop(
            LANDING_TO_BRONZE,
            (
                Leg(Side.IN, landed),
                Leg(Side.OUT, bronze),
                Leg(Side.DUPLICATE, repeated),
                Leg(Side.REJECTED, QuarantineSpine(quarantine, DATASET)),
            ),
        ),
        Hop(
            BRONZE_TO_SILVER,
            (
                Leg(Side.IN, bronze),
                Leg(Side.OUT, silver),
                Leg(Side.SUPERSEDED, rows(SILVER, "r._is_superseded")),
            ),
            upstream=LANDING_TO_BRONZE,
        ),
        Hop(
            SILVER_TO_GOLD,
            (Leg(Side.IN, silver), Leg(Side.OUT, rows(GOLD, of=CANDIDATES))),
            upstream=BRONZE_TO_SILVER,
        ),
        Hop(
            GOLD_TO_READERS,
            (
                Leg(Side.IN, rows(GOLD, of=_PUBLISHED)),
                Leg(Side.OUT, rows(READERS)),
                Leg(Side.DUPLICATE, rows(HIDDEN, "r.reason = 'duplicate'")),
                Leg(Side.SUPERSEDED, rows(HIDDEN, "r.reason = 'superseded'")),
            ),
            certified=False,
        ),
    )
    return {hop.name: hop for hop in hops}
