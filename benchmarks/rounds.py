"""Rounds of measurements: each in a fresh process and an empty folder, one at a time.

A round measures every case once, so that what is compared is measured within minutes of each
other, and a machine that is slow for a while is slow for all sides.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.calibration import Calibrator, calibrating
from benchmarks.jobs import BenchmarkError

ROOT = Path(__file__).parent.parent
_TIMEOUT_SECONDS = 3_600.0
_SAID_CHARS = 3_000


@dataclass(frozen=True)
class Case:
    """A part over so many days."""

    part: str
    days: int


@dataclass(frozen=True)
class Measured:
    """One measurement, as `benchmarks.worker.measure` says it, between two calibrations."""

    case: Case
    seconds: float
    cpu_seconds: float
    child_cpu_seconds: float
    peak_rss_bytes: int
    ready_seconds: float
    records: int
    payload_bytes: int
    phases: dict[str, float]
    content: dict[str, str]
    calibration_seconds: tuple[float, float]


def run_rounds(
    cases: Sequence[Case], rounds: int, work_dir: Path, say: Callable[[str], None]
) -> list[Measured]:
    """Measure each case so many times.

    Args:
        cases: what to measure, in this order.
        rounds: how often.
        work_dir: an empty folder; what a measurement wrote is removed after it.
        say: is told of each measurement.

    Raises:
        BenchmarkError: a part failed.
    """
    inputs = work_dir / "inputs"
    file_days = max((case.days for case in cases if _reads_files(case)), default=0)
    measured: list[Measured] = []
    with calibrating() as calibrator:
        if file_days:
            say(f"writing {file_days} days of NDJSON")
            _measure(Case("inputs", file_days), inputs, work_dir, calibrator)
        for number, case in _in_turn(cases, rounds):
            found = _measure(case, inputs, work_dir, calibrator)
            measured.append(found)
            calibration = max(found.calibration_seconds)
            say(
                f"round {number} of {rounds}: {case.part}, {case.days} days: "
                f"{found.seconds:.2f} s (calibration {calibration:.2f} s)"
            )
    return measured


def _reads_files(case: Case) -> bool:
    return case.part.startswith(("clearhouse", "dlt"))


def _in_turn(cases: Sequence[Case], rounds: int) -> Iterator[tuple[int, Case]]:
    for number in range(1, rounds + 1):
        for case in cases:
            yield number, case


def _measure(case: Case, inputs: Path, work_dir: Path, calibrator: Calibrator) -> Measured:
    home = work_dir / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    os.sync()  # what others wrote is not to be written while this is measured
    before = calibrator.seconds()
    try:
        found = _in_fresh_process(case, inputs, home, work_dir)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return Measured(case=case, calibration_seconds=(before, calibrator.seconds()), **found)


def _in_fresh_process(case: Case, inputs: Path, home: Path, work_dir: Path) -> dict[str, Any]:
    order, result = work_dir / "job.json", work_dir / "result.json"
    result.unlink(missing_ok=True)
    job = {"part": case.part, "days": case.days, "inputs": str(inputs), "home": str(home)}
    order.write_text(json.dumps({**job, "started_at": time.time()}))
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", str(order), str(result)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if answer.returncode or not result.exists():
        said = answer.stdout.decode(errors="replace")[-_SAID_CHARS:]
        raise BenchmarkError(f"{case.part} over {case.days} days failed:\n{said}")
    found: dict[str, Any] = json.loads(result.read_text())
    return found
