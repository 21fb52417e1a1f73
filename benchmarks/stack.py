"""`python -m benchmarks.stack`: payments on real servers, which are started for it and stopped."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.jobs import BenchmarkError
from benchmarks.own_stack import own_stack
from benchmarks.report import keep_measurements, print_tables, promises_table
from benchmarks.rounds import Case, run_rounds
from benchmarks.stack_summary import PARTS, WORKFLOWS, promises, rows, table, workflows_table

_HERE = Path(__file__).parent
_SERVERS = "postgres,kafka,temporal"
_GATEWAYS = ("kafka_gateway", "kafka_peer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for. Returns the exit code: 1 where no figures came of it."""
    asked = _parser().parse_args(arguments)
    cases = [Case(part, 1) for part in PARTS if not asked.only or part in asked.only]
    with tempfile.TemporaryDirectory(dir=asked.work or _HERE, prefix=".work-") as work:
        try:
            with own_stack(_SERVERS) as settings:
                os.environ.update(settings)
                # A broker that has just been started takes several times as long for a request: who
                # is measured first would pay for it.
                gateways = [each for each in cases if each.part.startswith(_GATEWAYS)]
                run_rounds(gateways, 1, Path(work), lambda _: None)
                measured = run_rounds(cases, asked.rounds, Path(work), _say)
        except BenchmarkError as error:
            _say(str(error))
            return 1
    found, kept = rows(measured), list(promises(measured))
    tables = [table(found), promises_table(kept)]
    if any(row.name == WORKFLOWS for row in found):
        tables.append(workflows_table(measured))
    print_tables(*tables)
    keep_measurements(asked.json, measured, kept)
    _say(f"kept in {asked.json}")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stack", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default: 5)")
    parser.add_argument("--only", nargs="+", default=[], choices=PARTS, metavar="PART")
    parser.add_argument("--work", type=Path, help="folder for what is written (default: here)")
    parser.add_argument(
        "--json", type=Path, default=_HERE / "results" / "stack.json", help="where to keep it all"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
