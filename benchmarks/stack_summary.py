"""Medians and promises of the measurements on real servers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.table import Table

from benchmarks.parts.webhook_load import CPU, MEDIAN, WORST
from benchmarks.parts.workflows_temporal import HISTORY, RECORDED, TRANSITIONS
from benchmarks.rounds import Measured
from benchmarks.summary import Promise

_CONNECTIONS = (16, 64)
_NORMALIZE, _NORMALIZE_TWICE = "kafka_normalize", "kafka_normalize_twice"
WORKFLOWS = "temporal_workflows"
PARTS = (
    *(f"kafka_{who}_{number}" for number in _CONNECTIONS for who in ("gateway", "peer")),
    _NORMALIZE,
    _NORMALIZE_TWICE,
    WORKFLOWS,
)
"""In their order: what is compared is measured one after the other, in each round."""


@dataclass(frozen=True)
class Row:
    """A part: medians over its rounds.

    Attributes:
        rates: records a second, of each round.
        cpu_seconds: of the servers that are measured, for a record.
        median_seconds, worst_seconds: to an answer, and the 99th percentile; None: none is waited
            for.
    """

    name: str
    rates: tuple[float, ...]
    cpu_seconds: float
    median_seconds: float | None
    worst_seconds: float | None
    calibration_seconds: float

    @property
    def rate(self) -> float:
        """Records a second, the median of the rounds."""
        return median(self.rates)


def rows(measured: Sequence[Measured]) -> list[Row]:
    """A row for each part, in the order of the first round."""
    by_part: dict[str, list[Measured]] = {}
    for each in measured:
        by_part.setdefault(each.case.part, []).append(each)
    return [_row(part, runs) for part, runs in by_part.items()]


def promises(measured: Sequence[Measured]) -> Iterable[Promise]:
    """What the project promises of payments on real servers, as far as it was measured."""
    by_name = {row.name: row for row in rows(measured)}
    for number in _CONNECTIONS:
        ours, peer = (by_name.get(f"kafka_{who}_{number}") for who in ("gateway", "peer"))
        if ours and peer:
            yield from _beside(ours, peer, number)
    once, twice = by_name.get(_NORMALIZE), by_name.get(_NORMALIZE_TWICE)
    if once:
        yield Promise("one normalizer, exactly once, webhooks/s", once.rate, 20_000)
    if once and twice:
        name = "twice the partitions and normalizers, in times of one"
        yield Promise(name, twice.rate / once.rate, 1)


def _beside(ours: Row, peer: Row, number: int) -> Iterable[Promise]:
    """The gateway beside the plain way."""
    of = f"gateway, {number} connections"
    yield Promise(f"{of}: throughput, in times of the peer's", ours.rate / peer.rate, 1.6)
    cpu = ours.cpu_seconds / peer.cpu_seconds
    yield Promise(f"{of}: CPU a request, in times of the peer's", cpu, 0.6, is_at_most=True)
    worst = (ours.worst_seconds or 0) / (peer.worst_seconds or 1)
    yield Promise(f"{of}: p99, in times of the peer's", worst, 1, is_at_most=True)


def table(found: Iterable[Row]) -> Table:
    """The rows for a person, in a form that Markdown reads too."""
    shown = Table(box=box.MARKDOWN)
    shown.add_column("part", no_wrap=True)
    for heading in ("records/s", "min to max", "p50 ms", "p99 ms", "CPU µs each", "calibration s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in found:
        shown.add_row(
            row.name,
            f"{row.rate:,.0f}",
            f"{min(row.rates):,.0f} to {max(row.rates):,.0f}",
            _milliseconds(row.median_seconds),
            _milliseconds(row.worst_seconds),
            f"{row.cpu_seconds * 1e6:,.0f}",
            f"{row.calibration_seconds:.2f}",
        )
    return shown


def workflows_table(measured: Iterable[Measured]) -> Table:
    """What events cost as workflows, a row for each round."""
    shown = Table(box=box.MARKDOWN)
    for heading in ("events", "all recorded s", "all runs completed s", TRANSITIONS, HISTORY):
        shown.add_column(heading, justify="right", no_wrap=True)
    for run in measured:
        if run.case.part == WORKFLOWS:
            shown.add_row(
                f"{run.records:,}",
                f"{run.phases[RECORDED]:.1f}",
                f"{run.seconds:.1f}",
                run.content[TRANSITIONS],
                run.content[HISTORY],
            )
    return shown


def _row(part: str, runs: Sequence[Measured]) -> Row:
    return Row(
        name=part,
        rates=tuple(run.records / run.seconds for run in runs),
        cpu_seconds=median(run.phases[CPU] for run in runs),
        median_seconds=_phase(runs, MEDIAN),
        worst_seconds=_phase(runs, WORST),
        calibration_seconds=median(each for run in runs for each in run.calibration_seconds),
    )


def _phase(runs: Sequence[Measured], name: str) -> float | None:
    return median(run.phases[name] for run in runs) if name in runs[0].phases else None


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.1f}"
