"""`python -m clearhouse.sandbox`: a simtom server in the foreground."""

import argparse
import sys
from collections.abc import Sequence

from clearhouse.core.errors import ClearhouseError, UsageError
from clearhouse.sandbox.options import SandboxOptions, faults_from_text
from clearhouse.sandbox.server import serve

_DONE, _FAILED, _USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until interrupted; prints the base URL when it answers. Returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        options = SandboxOptions(
            seed=asked.seed,
            volume=asked.volume,
            faults=faults_from_text(asked.fault),
            pause_seconds=asked.pause_seconds,
            retry_after_seconds=asked.retry_after_seconds,
            slow_seconds=asked.slow_seconds,
            hostile=asked.hostile,
        )
        until = sys.stdin.buffer if asked.until_stdin_ends else None
        serve(options, asked.host, asked.port, _say, until=until)
    except UsageError as error:
        print(error.message, file=sys.stderr)
        return _USAGE
    except ClearhouseError as error:
        print(error.message, file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return _DONE
    return _DONE


def _say(url: str) -> None:
    print(url, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clearhouse.sandbox",
        description="A stand-in for simtom, the BNPL lender's API: seeded, hostile on request.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one (the default)")
    parser.add_argument(
        "--seed", type=int, default=42, help="the world served when a request names none"
    )
    parser.add_argument(
        "--volume",
        choices=("asked", "formula"),
        default="asked",
        help="asked: a day has base_daily_volume records; formula: as simtom's calendar has it",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="DATE=KIND",
        help="negative_amounts, duplicates, cut_stream:2 and others; repeatable",
    )
    parser.add_argument(
        "--hostile", action="store_true", help="some of every fault, on days chosen by the seed"
    )
    parser.add_argument("--pause-seconds", type=float, default=0.0, help="rest between days")
    parser.add_argument(
        "--retry-after-seconds", type=int, default=1, help="what a 503 or 429 asks for"
    )
    parser.add_argument(
        "--slow-seconds", type=float, default=0.5, help="rest of a slow day before each quarter"
    )
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="stop when standard input is closed"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
