"""SQL as PostgreSQL reads it (`core.columnar.Dialect`)."""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa

from clearhouse.core.columnar import HASH_DIGITS, USUAL_PLACES, unusual_currencies


class PostgresDialect:
    """SQL of PostgreSQL 14 and newer, with `FUNCTIONS`."""

    def hash_sum(self, amount_minor: str = "amount_minor") -> str:
        """See `Dialect`."""
        text = f"_record_id || '|' || {amount_minor} || '|' || currency"
        return f"sum(('x' || substr(md5({text}), 1, {HASH_DIGITS}))::bit(60)::bigint)"

    def row_text(self, columns: Mapping[str, pa.DataType]) -> str:
        """See `Dialect`."""
        values = " || ',' || ".join(
            f"coalesce({_json(column, kind)}, 'null')" for column, kind in columns.items()
        )
        return f"'[' || {values} || ']' || chr(10)"

    def sha256(self, text: str) -> str:
        """See `Dialect`."""
        return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"

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


def _json(column: str, kind: pa.DataType) -> str:
    """A value's JSON as DuckDB writes it; null for a null."""
    if pa.types.is_decimal(kind):
        return f"'\"' || CAST({column} AS numeric({kind.precision}, {kind.scale})) || '\"'"
    if pa.types.is_floating(kind):
        return f"ops.json_of_double({column})"
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return f"CAST({column} AS text)"
    if pa.types.is_timestamp(kind) and kind.tz:
        return f"CAST(CAST(extract(epoch FROM {column}) * 1000000 AS bigint) AS text)"
    if pa.types.is_temporal(kind):
        return f"'\"' || CAST({column} AS text) || '\"'"
    return f"ops.json_of_text({column})"


def _escapes() -> str:
    """SQL of `value` with every character escaped that JSON asks for, codes in upper case."""
    short = {"\\": r"\\", '"': r"\"", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r"}
    short["\t"] = r"\t"
    codes = {chr(n): f"\\u{n:04X}" for n in range(1, 0x20) if chr(n) not in short}
    sql = "value"
    for character, written in (short | codes).items():
        sql = f"replace({sql}, chr({ord(character)}), '{written}')"
    return sql


FUNCTIONS = (
    # to_json writes the codes of rare characters in lower case, and is fast.
    f"""CREATE OR REPLACE FUNCTION ops.json_of_text(value text) RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT CASE WHEN strpos(CAST(to_json(value) AS text), '\\u00') > 0
            THEN '"' || {_escapes()} || '"' ELSE CAST(to_json(value) AS text) END $$""",
    # The shortest digits that read back the same. PostgreSQL leaves out those that lie half-way to
    # the next double, which only whole numbers beyond 2^53 can: these are looked for here.
    """CREATE OR REPLACE FUNCTION ops.json_of_large_double(value double precision) RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
        WITH scaled AS (
            SELECT greatest(0, CAST(floor(ln(value) / ln(2)) AS integer) - 57) AS halvings
        ), exact AS (
            SELECT CAST(value / power(2::double precision, halvings) AS bigint)
                * power(2::numeric, halvings) AS number FROM scaled
        ), shortest AS (
            SELECT candidate
            FROM (SELECT trunc(number, 0) AS number FROM exact) AS exact,
                generate_series(1, 17) AS digits,
                LATERAL (SELECT digits - length(CAST(number AS text)) AS places) AS placed,
                LATERAL (VALUES
                    (trunc(number, places)),
                    (trunc(number, places) + trunc(power(10::numeric, -places), 0))
                ) AS candidates(candidate)
            WHERE CASE WHEN candidate < 1.7976931348623158e308
                THEN CAST(candidate AS double precision) = value END
            ORDER BY digits, abs(candidate - number), candidate
            LIMIT 1
        ), written AS (
            SELECT CAST(trunc(candidate, 0) AS text) AS digits FROM shortest
        )
        SELECT CASE WHEN length(digits) <= 21 THEN digits || '.0'
            ELSE left(digits, 1) || rtrim('.' || rtrim(substr(digits, 2), '0'), '.')
                || 'e' || length(digits) - 1 END
        FROM written $$""",
    # 1.5e-07 is 1.5e-7, 1e-06 is 0.000001, and 5 is 5.0.
    """CREATE OR REPLACE FUNCTION ops.json_of_double(value double precision) RETURNS text
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT CASE
            WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN CAST(value AS text)
            WHEN abs(value) >= 9007199254740992
                THEN rtrim(left(CAST(value AS text), 1), '0123456789')
                    || ops.json_of_large_double(abs(value))
            WHEN value <> 0 AND abs(value) < 1e-6
                THEN regexp_replace(CAST(value AS text), 'e-0*', 'e-')
            WHEN CAST(value AS text) = '-0' THEN '-0.0'
            WHEN value = trunc(value) THEN CAST(CAST(value AS bigint) AS text) || '.0'
            ELSE CAST(CAST(CAST(value AS text) AS numeric) AS text) END $$""",
)
"""Functions that the dialect's SQL uses, as statements that make them in the schema `ops`."""
