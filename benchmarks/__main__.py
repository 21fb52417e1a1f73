"""`python -m benchmarks`: measure, print the tables, keep a JSON."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.jobs import BenchmarkError
from benchmarks.parts import PARTS
from benchmarks.report import keep, show
from benchmarks.rounds import Case, run_rounds
from benchmarks.summary import summary

_HERE = Path(__file__).parent
_YEAR_DAYS = 365
_BY_YEAR = ("sandbox_make", "sandbox_serve", "pipeline")
_BY_TENTH = ("pipeline", "clearhouse", "clearhouse_whole", "dlt_arrow", "dlt_dicts")
_BY_FORTIETH = ("clearhouse", "dlt_inserts")
"""As dlt loads when nothing is set: INSERTs of nine days take DuckDB 2 over 40 s and 6 GB."""
_SIDE_BY_SIDE = _BY_TENTH[1:]
_WEEK_DAYS = 7
_OF_ONE_DAY = ("close", "close_many", "proof_checked")
_STAR = ("star_load", "star_load_many", "star_rows", "star_refresh")
"""Retail in PostgreSQL, by the native stack: not on systems where that does not run."""
_LEDGER = (
    "gl_make", "gl_balance", "gl_export_ndjson", "gl_export_parquet", "gl_list_first",
    "gl_orm_first", "gl_list_deep", "gl_orm_deep", "gl_stream",
)  # fmt: skip
"""The general ledger and its service; what is compared, side by side."""
_PAYMENTS = ("payments_normalize", "payments_record", "payments_record_http")
_GATEWAY = ("gateway_16", "gateway_16_no_log", "gateway_64", "gateway_64_no_log")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for. Returns the exit code: 1 where no figures came of it."""
    asked = _parser().parse_args(arguments)
    # Beside the project: /tmp may be memory, and the disk is a part of what is measured.
    with tempfile.TemporaryDirectory(dir=asked.work or _HERE, prefix=".work-") as work:
        try:
            cases = _cases(asked.days, asked.full, asked.only)
            measured = run_rounds(cases, asked.rounds, Path(work), _say)
            found = summary(measured)
        except BenchmarkError as error:
            _say(str(error))
            return 1
    show(found)
    keep(asked.json, found, measured)
    _say(f"kept in {asked.json}")
    return 0


def _cases(days: int, is_full: bool, only: Sequence[str]) -> list[Case]:
    tenth, fortieth = max(1, days // 10), max(1, days // 40)
    cases = [Case(part, days) for part in _BY_YEAR] + [Case(part, tenth) for part in _BY_TENTH]
    cases += [Case(part, fortieth) for part in _BY_FORTIETH]
    # One more day after a week and after a year, in the same rounds.
    cases += [Case("night", min(days, _WEEK_DAYS)), Case("night", days)]
    cases += [Case("payments_night", min(days, _WEEK_DAYS)), Case("payments_night", days)]
    cases += [Case("night_phases", days), Case("night_corrected", days)]
    cases += [Case(part, 1) for part in _OF_ONE_DAY]
    cases += [Case(part, days) for part in _STAR]
    cases += [Case("star_one_more", min(days, _WEEK_DAYS)), Case("star_one_more", days)]
    cases += [Case(part, days) for part in _LEDGER]
    cases += [Case(part, 1) for part in _GATEWAY]
    cases += [Case(part, days) for part in _PAYMENTS]
    if is_full:
        cases += [Case(part, days) for part in _SIDE_BY_SIDE]
    if not only:
        return list(dict.fromkeys(cases))
    return [case for case in dict.fromkeys(cases) if case.part in only]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--days", type=int, default=_YEAR_DAYS, help="the size of a year (a tenth is taken of it)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default: 3)")
    parser.add_argument(
        "--full", action="store_true", help="dlt side by side over the year too, not a tenth alone"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], choices=[p for p in PARTS if p != "inputs"], metavar="PART"
    )
    parser.add_argument("--work", type=Path, help="folder for what is written (default: here)")
    parser.add_argument(
        "--json", type=Path, default=_HERE / "results" / "latest.json", help="where to keep it all"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
