"""Commands by which anyone gets a certificate's figures with other tools.

Each prints `measure|value`, as the certificate holds them for one side of one hop. Amounts are read
from the text of landed lines, and counted in minor units of their currency, as integers.
"""

import datetime as dt
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from clearhouse.books.model import Side
from clearhouse.core.columnar import DIALECT, Dialect
from clearhouse.core.contract import Contract, PayloadFormat
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.core.contract.reading import amount_pattern, currency_pattern
from clearhouse.core.money import exponents, text_pattern
from clearhouse.core.paths import near
from clearhouse.core.urls import SecretUrl
from clearhouse.landing import LandedObject
from clearhouse.pipeline.bronze import landed_objects
from clearhouse.pipeline.context import OpenDataset, Run

_USUAL_PLACES = 2
_MOST_PLACES = 4


def hash_query(dataset: OpenDataset, files: Sequence[str], currencies: Iterable[str]) -> str:
    """SQL over bronze files that any DuckDB runs: the hash of their records."""
    spine = _spine(dataset.contract, _parquet(files), currencies)
    return f"SELECT {DIALECT.hash_sum()} FROM ({spine})"


def commands(
    run: Run, dataset: OpenDataset, day: dt.date, currencies: Iterable[str], duckdb: str
) -> list[tuple[str, str]]:
    """Hop and side, and the command that measures it.

    Args:
        run: the domain's parts.
        dataset: whose day.
        day: the book date.
        currencies: those in which amounts of the day were read.
        duckdb: how DuckDB's command line is called.
    """
    names, contract = dataset.names, dataset.contract
    landed = landed_objects(dataset, [day])[day]
    found = []
    for figure, contract_of, objects in _as_read(dataset, landed):
        if command := _landed(run, contract_of, objects, currencies, duckdb):
            found.append((figure, command))
    files = run.lake.files(dataset.id, [day])
    if files:
        spine = _spine(contract, _parquet(files), currencies)
        command = f'{duckdb} -list -c "{_figures(spine, hashed_by=DIALECT)}"'
        found.append((f"{names.bronze}: {Side.OUT}", command))
    if run.quarantine.of_days(dataset.id, [day], limit=1):
        spine = (
            "SELECT amount_minor, currency FROM quarantine "
            f"WHERE dataset = '{dataset.id}' AND book_date = '{day}'"
        )
        command = f'{_database_shell(run.settings.database_url)} "{_figures(spine)}"'
        found.append((f"{names.bronze}: {Side.REJECTED}", command))
    gold = f"{dataset.declared.gold} WHERE _book_date = DATE '{day}'"
    spine = _spine(contract, gold, currencies)
    figures = _figures(spine, hashed_by=run.engine.dialect)
    found.append((f"{names.gold}: {Side.OUT}", f'{run.engine.shell(duckdb)} "{figures}"'))
    return found


def _database_shell(url: str | SecretUrl) -> str:
    """How SQL is given to the operational store; one on a server is named by the environment."""
    if isinstance(url, SecretUrl):
        return 'psql "$DATABASE_URL" -X --no-align --pset=footer=off -c'
    return f"sqlite3 -header -readonly '{near(url.removeprefix('sqlite:///'))}'"


def _parquet(files: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(DIALECT.text(near(file)) for file in files)}])"


def _spine(contract: Contract, relation: str, currencies: Iterable[str]) -> str:
    """SQL of records with their minor units, of a relation that has the contract's columns."""
    minor, currency = _amount(contract, currencies)
    return f"SELECT _record_id, {minor} AS amount_minor, {currency} AS currency FROM {relation}"


def _amount(contract: Contract, currencies: Iterable[str]) -> tuple[str, str]:
    """SQL of an amount's minor units, and of its currency: one of these."""
    if contract.amount.is_minor:
        return amount_sql(contract, DIALECT)
    power = str(10**_USUAL_PLACES)
    unusual = {c: n for c, n in _places(currencies).items() if n != _USUAL_PLACES}
    if unusual:
        cases = " ".join(f"WHEN '{code}' THEN {10**places}" for code, places in unusual.items())
        power = f"CASE {contract.currency.name} {cases} ELSE {power} END"
    return f"({contract.amount.name} * {power})::BIGINT", contract.currency.name


def _places(currencies: Iterable[str]) -> dict[str, int]:
    known = exponents()
    return {code: known[code] for code in sorted(currencies) if code in known}


def _figures(spine: str, *, hashed_by: Dialect | None = None) -> str:
    """SQL that every store reads: the totals of records, as a certificate has them.

    Args:
        spine: SQL of the records.
        hashed_by: the dialect of their hash; None for a store that has none.
    """
    hashed = ""
    if hashed_by:
        hashed = f"UNION ALL SELECT 'hash', {hashed_by.hash_sum()} FROM spine "
    return (
        f"WITH spine AS ({spine}) "
        f"SELECT 'records' AS measure, count(*) AS value FROM spine {hashed}"
        "UNION ALL SELECT 'minor:' || currency, sum(amount_minor) FROM spine GROUP BY currency "
        "HAVING sum(amount_minor) <> 0 ORDER BY 1"
    )


def _as_read(
    dataset: OpenDataset, landed: Sequence[LandedObject]
) -> Iterator[tuple[str, Contract, Sequence[LandedObject]]]:
    """The figures of what landed: of all sources, or of each where they name fields differently."""
    names, contract = dataset.names, dataset.contract
    if not contract.named_sources:
        yield f"{names.bronze}: {Side.IN}", contract, landed
        return
    for source, hop in names.landed.items():
        of_source = [each for each in landed if each.source == source]
        yield f"{hop}: {Side.OUT}", contract.of(source), of_source


def _landed(
    run: Run,
    contract: Contract,
    landed: Sequence[LandedObject],
    currencies: Iterable[str],
    duckdb: str,
) -> str | None:
    """The figures of what landed, read from the text of its lines; of CSV there is no command."""
    places = [place for each in landed if (place := run.landing.shell(each))]
    is_json = all(each.payload_format is not PayloadFormat.CSV for each in landed)
    if not places or len(places) < len(landed) or not is_json:
        return None
    quoted = [f"'{near(path)}'" for path, _ in places]
    unpack = places[0][1]
    # A payload may end without a line feed: RS (036) stands between two, as no JSON text holds it.
    several = f"for f in {' '.join(quoted)}; do {unpack}; printf '\\036'; done"
    unpacked = unpack.replace('"$f"', quoted[0]) if len(places) == 1 else several
    # Broken lines may not be UTF-8, which DuckDB does not read. No pattern asks for such bytes.
    in_ascii = "LC_ALL=C tr '\\200-\\377' '?'"
    sql = _figures(_landed_spine(contract, currencies)).replace("'", "$$")
    return f"{unpacked} | {in_ascii} | {duckdb} -list -c {shlex.quote(sql)}"


def _landed_spine(contract: Contract, currencies: Iterable[str]) -> str:
    """SQL of each landed row's minor units; 0 where its text is no amount of its currency.

    Texts stand between $$: so it has no quotes that a shell would read.
    """
    currency = f"$${contract.currency.constant}$$"
    if contract.currency.constant is None:
        currency = f"regexp_extract(row, {_pattern(currency_pattern(contract.currency))}, 1)"
    cases = " ".join(
        f"WHEN $${code}$$ THEN {0 if contract.amount.is_minor else places}"
        for code, places in _places(currencies).items()
    )
    payload, rows = _rows(contract)
    return f"""
  WITH answers AS (
    SELECT unnest(string_split(content, chr(30))) AS payload FROM read_text($$/dev/stdin$$)
  ), payloads AS (
    SELECT {payload} AS payload FROM answers WHERE payload <> $$$$
  ), rows AS (
    SELECT unnest({rows}) AS row FROM payloads
  ), texts AS (
    SELECT regexp_extract(row, {_pattern(_number_pattern(contract))}, 1) AS number,
      {currency} AS currency FROM rows
  ), scales AS (
    SELECT *, length(split_part(number, $$.$$, 2)) AS decimals,
      CASE currency {cases or "WHEN NULL THEN 0"} END AS places FROM texts
  )
  SELECT currency, CASE WHEN number <> $$$$ AND decimals <= places
    THEN (replace(number, $$.$$, $$$$) || repeat($$0$$, places - decimals))::BIGINT
    ELSE 0 END AS amount_minor
  FROM scales
"""


def _rows(contract: Contract) -> tuple[str, str]:
    """SQL of a payload made ready, and of the rows in it.

    DuckDB takes rows out of a JSON answer as values, and writes their numbers anew: so the amounts
    are made texts before, which begin with #.
    """
    lines = r"string_split(regexp_replace(payload, $$\n\z$$, $$$$), chr(10))"
    if not contract.rows_under:
        return "payload", lines
    path = contract.rows_under.replace(".", "/")
    answer = f"json_extract(TRY_CAST(payload AS JSON), $$/{path}$$)"
    # A corrected row lands as a line of its own.
    rows = f"coalesce({answer}::JSON[]::VARCHAR[],\n      {lines})"
    if contract.amount.is_text:
        return "payload", rows
    number = rf'("{re.escape(contract.amount.source_name)}"\s*:\s*)(-?[0-9][-+.0-9eE]*)'
    return rf'regexp_replace(payload, $${number}$$, $$\1"#\2"$$, $$g$$)', rows


def _number_pattern(contract: Contract) -> str:
    if contract.rows_under and not contract.amount.is_text:
        name = re.escape(contract.amount.source_name)
        return rf'"{name}"[ \t]*:[ \t]*"#({text_pattern(_MOST_PLACES)})"'
    return amount_pattern(contract.amount)


def _pattern(pattern: str) -> str:
    written_out = pattern.replace("\t", r"\t")  # a shell completes where a tab is pasted
    return f"$${written_out}$$"
