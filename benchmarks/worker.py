"""One measurement in a fresh process: `python -m benchmarks.worker JOB.json RESULT.json`."""

import json
import logging
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import structlog

from benchmarks.jobs import Job
from benchmarks.parts import load

_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


def measure(job: Job, started_at: float) -> dict[str, object]:
    """Get a part ready, run it, and say what it took.

    `ready_seconds` is what was not measured: the interpreter's start, imports, and inputs and
    servers made ready. `child_cpu_seconds` is of the servers beside it, over their whole life.
    """
    with ExitStack() as stack:
        task = load(job.part)(job, stack)
        ready_seconds = time.time() - started_at
        cpu_before = _cpu_seconds(resource.RUSAGE_SELF)
        began = time.perf_counter()
        done = task.run()
        seconds = time.perf_counter() - began
        cpu_seconds = _cpu_seconds(resource.RUSAGE_SELF) - cpu_before
        peak_rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT_BYTES
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "child_cpu_seconds": _cpu_seconds(resource.RUSAGE_CHILDREN),
        "peak_rss_bytes": peak_rss_bytes,
        "ready_seconds": ready_seconds,
        **asdict(done),
        "content": task.content(),
    }


def _cpu_seconds(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str]) -> None:
    """Read a job, measure it, write the result."""
    # As the command line does by default; structlog itself would print thousands of lines.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asked = json.loads(Path(arguments[0]).read_text())
    job = Job(asked["part"], asked["days"], Path(asked["inputs"]), Path(asked["home"]))
    Path(arguments[1]).write_text(json.dumps(measure(job, asked["started_at"])))


if __name__ == "__main__":
    main(sys.argv[1:])
