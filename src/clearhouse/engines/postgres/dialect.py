"""SQL as PostgreSQL reads it (`core.columnar.Dialect`)."""

import datetime as dt

from clearhouse.core.columnar import HASH_DIGITS, USUAL_PLACES, unusual_currencies


class PostgresDialect:
    """SQL of PostgreSQL 14 and newer."""

    def hash_sum(self, amount_minor: str = "amount_minor") -> str:
        """See `Dialect`."""
        text = f"_record_id || '|' || {amount_minor} || '|' || currency"
        return f"sum(('x' || substr(md5({text}), 1, {HASH_DIGITS}))::bit(60)::bigint)"

    def row_hash(self, row: str) -> str:
        """See `Dialect`."""
        return f"hashtextextended(CAST({row} AS text), 0)"

    def minor_units(self, amount: str, currency: str, *, digits: int = 17) -> str:
        """See `Dialect`; a numeric of PostgreSQL has room for any."""
        cases = " ".join(
            f"WHEN {currency} IN ({codes}) THEN CAST({amount} * {10**places} AS BIGINT)"
            for places, codes in unusual_currencies()
        )
        return f"CASE {cases} ELSE CAST({amount} * {10**USUAL_PLACES} AS BIGINT) END"

    def date(self, day: dt.date) -> str:
        """See `Dialect`."""
        return f"DATE '{day}'"

    def text(self, value: str) -> str:
        """See `Dialect`."""
        return "'" + value.replace("'", "''") + "'"
