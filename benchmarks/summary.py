"""Medians, ratios and promises out of measurements."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from benchmarks.jobs import BenchmarkError
from benchmarks.rounds import Case, Measured

OURS, WHOLE = "clearhouse", "clearhouse_whole"
ARROW, DICTS, INSERTS = "dlt_arrow", "dlt_dicts", "dlt_inserts"
PIPELINE = "pipeline"
NIGHT, CORRECTED, NIGHT_PHASES = "night", "night_corrected", "night_phases"
STAR, STAR_MANY, STAR_ROWS, STAR_NIGHT = (
    "star_load",
    "star_load_many",
    "star_rows",
    "star_one_more",
)
GL_MAKE, GL_BALANCE = "gl_make", "gl_balance"
SERVICE_PARTS = ("gl_", "gateway_")
"""Of which every phase is shown."""

_MARTS_PARTS = (OURS, WHOLE, ARROW, DICTS, INSERTS)
_STEPS = (
    ("client → landing", ("extract_daily_batch",), ()),
    ("landing → bronze", ("validate_raw_schema",), ("raw gate",)),
    ("dbt: models and tests", ("dbt",), ()),
    ("gates", ("validate_business_rules", "raw gate"), ()),
)
"""Of a pipeline's phases: what it is called, what is added up, what is taken off."""
_SIDE_BY_SIDE = (("gl_list_first", "gl_orm_first"), ("gl_list_deep", "gl_orm_deep"))
"""The general ledger's lists, and the plain way beside them."""
_A_MINUTE = 60
_BALANCED_LINES = 10_000_000
_COMPARED = "bronze compared"
_BOOKS = (
    ("books measured", ("books measured",), ()),
    ("entries", ("books recorded",), ("journal",)),
    ("journal", ("journal",), ()),
    ("books asked", ("books asked",), ()),
    (_COMPARED, (_COMPARED,), ()),
    ("the books in all", ("books measured", "books recorded", "books asked", _COMPARED), ()),
)
"""The same of what the books cost: stores measured, what happened written down, chained and asked
for again, and bronze made once more."""


@dataclass(frozen=True)
class Figure:
    """What one thing took in each round.

    Attributes:
        cpu_seconds, peak_rss_bytes: medians; None for a phase, which is not a process.
        calibration_seconds: the median of the calibrations around it.
    """

    name: str
    days: int
    records: int
    payload_bytes: int
    seconds: tuple[float, ...]
    calibration_seconds: float
    cpu_seconds: float | None = None
    peak_rss_bytes: float | None = None

    @property
    def median_seconds(self) -> float:
        """The median over the rounds."""
        return median(self.seconds)

    @property
    def records_per_second(self) -> float:
        """Records by the median time."""
        return self.records / self.median_seconds

    @property
    def megabytes_per_second(self) -> float:
        """Uncompressed NDJSON by the median time."""
        return self.payload_bytes / 1e6 / self.median_seconds


@dataclass(frozen=True)
class Promise:
    """What a figure must reach, and what it reached."""

    name: str
    value: float
    bound: float
    is_at_most: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether it does."""
        return self.value <= self.bound if self.is_at_most else self.value >= self.bound


@dataclass(frozen=True)
class Summary:
    """All that is told of the measurements.

    Attributes:
        shares: percent of a run that its parts take.
        waits: seconds of a measurement that somebody waits for, such as for the first byte.
    """

    figures: tuple[Figure, ...]
    ratios: dict[str, float]
    shares: dict[str, float]
    promises: tuple[Promise, ...]
    waits: dict[str, float]


def summary(measured: Sequence[Measured]) -> Summary:
    """Figures in the order of the first round, then what follows from them.

    Raises:
        BenchmarkError: two sides made different marts of the same files.
    """
    _same_content(measured)
    by_case = _by_case(measured)
    figures: list[Figure] = []
    for case, runs in by_case.items():
        figures.append(_whole_figure(case, runs))
        if case.part == PIPELINE:
            figures += [_phase_figure(case, runs, *step) for step in _STEPS]
    shares, waits = _shares(by_case), _waits(by_case)
    return Summary(tuple(figures), _ratios(by_case), shares, tuple(_promises(by_case)), waits)


def _by_case(measured: Iterable[Measured]) -> dict[Case, list[Measured]]:
    found: dict[Case, list[Measured]] = {}
    for each in measured:
        found.setdefault(each.case, []).append(each)
    return found


def _same_content(measured: Sequence[Measured]) -> None:
    """See that all that made the same things of the same days made them alike."""

    def made(run: Measured) -> tuple[int, list[str]]:
        return run.case.days, sorted(run.content)

    for (days, _), runs in groupby(sorted(measured, key=made), made):
        first, *others = runs
        for other in others:
            if other.content != first.content:
                raise BenchmarkError(
                    f"Over {days} days {first.case.part} made {first.content}, "
                    f"and {other.case.part} made {other.content}."
                )


def _whole_figure(case: Case, runs: Sequence[Measured]) -> Figure:
    return Figure(
        name=case.part,
        days=case.days,
        records=runs[0].records,
        payload_bytes=runs[0].payload_bytes,
        seconds=tuple(run.seconds for run in runs),
        calibration_seconds=_calibration(runs),
        cpu_seconds=median(run.cpu_seconds + run.child_cpu_seconds for run in runs),
        peak_rss_bytes=median(run.peak_rss_bytes for run in runs),
    )


def _phase_figure(
    case: Case,
    runs: Sequence[Measured],
    name: str,
    added: Sequence[str],
    taken_off: Sequence[str],
) -> Figure:
    return Figure(
        name=f"  {name}",
        days=case.days,
        records=runs[0].records,
        payload_bytes=runs[0].payload_bytes,
        seconds=tuple(_phases(run, added) - _phases(run, taken_off) for run in runs),
        calibration_seconds=_calibration(runs),
    )


def _shares(by_case: dict[Case, list[Measured]]) -> dict[str, float]:
    """What the books take of a run of all days, and of one more day."""
    return {
        f"{case.part}, {case.days} days, {name}": _share(runs, added, taken_off)
        for case, runs in by_case.items()
        if case.part in (PIPELINE, NIGHT_PHASES)
        for name, added, taken_off in _BOOKS
    }


def _waits(by_case: dict[Case, list[Measured]]) -> dict[str, float]:
    """What is waited for in the services: medians over the rounds."""
    return {
        f"{case.part}, {case.days} days, {name}": median(run.phases[name] for run in runs)
        for case, runs in by_case.items()
        if case.part.startswith(SERVICE_PARTS)
        for name in runs[0].phases
    }


def _share(runs: Sequence[Measured], added: Sequence[str], taken_off: Sequence[str] = ()) -> float:
    return 100 * median((_phases(r, added) - _phases(r, taken_off)) / r.seconds for r in runs)


def _phases(run: Measured, names: Iterable[str]) -> float:
    return sum(run.phases[name] for name in names)


def _calibration(runs: Sequence[Measured]) -> float:
    return median(seconds for run in runs for seconds in run.calibration_seconds)


Seconds = Callable[[Measured], float]


def _all(run: Measured) -> float:
    return run.seconds


def _load(run: Measured) -> float:
    return run.phases["load"]


def _ratios(by_case: dict[Case, list[Measured]]) -> dict[str, float]:
    """How many times longer the peer takes than we do: above 1, Clearhouse is faster."""
    found = {}
    for days in sorted({case.days for case in by_case if case.part in _MARTS_PARTS}):
        for ours, what, seconds in (
            (OURS, "to the marts", _all),
            (OURS, "the load alone", _load),
            (WHOLE, "to the marts, against all that Clearhouse does", _all),
        ):
            for peer in (DICTS, ARROW, INSERTS):
                mine, theirs = by_case.get(Case(ours, days)), by_case.get(Case(peer, days))
                if mine and theirs:
                    found[f"{peer}, {days} days, {what}"] = _ratio(theirs, mine, seconds)
    for ours, peer in _SIDE_BY_SIDE:
        for case, mine in by_case.items():
            theirs = by_case.get(Case(peer, case.days))
            if case.part == ours and theirs:
                found[f"{peer}, {case.days} days"] = _ratio(theirs, mine)
    return found


def _ratio(above: Sequence[Measured], below: Sequence[Measured], seconds: Seconds = _all) -> float:
    return median(map(seconds, above)) / median(map(seconds, below))


def _promises(by_case: dict[Case, list[Measured]]) -> Iterable[Promise]:
    """What the project promises, as far as it was measured."""
    for case, runs in by_case.items():
        mine = by_case.get(Case(OURS, case.days))
        if case.part == "sandbox_serve":
            rate = _whole_figure(case, runs).records_per_second
            yield Promise("sandbox, over HTTP, records/s", rate, 100_000)
        if case.part == INSERTS and mine:
            name = f"{case.days} days: times faster than dlt with nothing set"
            yield Promise(name, _ratio(runs, mine), 10)
        if case.part == ARROW and mine:
            name = f"{case.days} days: times faster than dlt's Arrow tables"
            yield Promise(name, _ratio(runs, mine), 1)
    yield from _ledgers(by_case)
    yield from _nights(by_case)
    yield from _stars(by_case)
    sizes = sorted(case.days for case in by_case if case.part == PIPELINE)
    for few, many in pairwise(sizes):
        value = _ratio(by_case[Case(PIPELINE, many)], by_case[Case(PIPELINE, few)])
        yield Promise(f"pipeline: {many} days, in times of {few} days", value, 11, is_at_most=True)


def _nights(by_case: dict[Case, list[Measured]]) -> Iterable[Promise]:
    """One more day costs a day, however long the history is."""
    for night, where in ((NIGHT, ""), (STAR_NIGHT, " in PostgreSQL")):
        sizes = sorted(case.days for case in by_case if case.part == night)
        for few, many in pairwise(sizes):
            value = _ratio(by_case[Case(night, many)], by_case[Case(night, few)])
            name = f"one more day{where} after {many} days, in times of after {few}"
            yield Promise(name, value, 1.3, is_at_most=True)
    for case, runs in by_case.items():
        if case.part == NIGHT_PHASES:
            name = f"one more day after {case.days} days: bronze compared, % of the run"
            yield Promise(name, _share(runs, [_COMPARED]), 10, is_at_most=True)
    for part, name, bound in ((NIGHT, "one more day", 10), (CORRECTED, "with corrections", 15)):
        for days in sorted(case.days for case in by_case if case.part == part)[-1:]:
            value = median(map(_all, by_case[Case(part, days)]))
            yield Promise(f"{name} after {days} days, s", value, bound, is_at_most=True)


def _ledgers(by_case: dict[Case, list[Measured]]) -> Iterable[Promise]:
    """The general ledger is made fast, and proved fast however large it is."""
    for case, runs in by_case.items():
        figure = _whole_figure(case, runs)
        if case.part == GL_MAKE:
            a_minute = figure.records_per_second * _A_MINUTE
            name = f"{case.days} days of the general ledger made, lines a minute"
            yield Promise(name, a_minute, 10_000_000)
        if case.part == GL_BALANCE and figure.records >= _BALANCED_LINES:
            name = f"proof that {figure.records:,} lines balance, s"
            yield Promise(name, figure.median_seconds, 5, is_at_most=True)


def _stars(by_case: dict[Case, list[Measured]]) -> Iterable[Promise]:
    """Sales are loaded into PostgreSQL as sets, and in bounded memory."""
    for case, many in by_case.items():
        once, rows = (by_case.get(Case(part, case.days)) for part in (STAR, STAR_ROWS))
        if case.part != STAR_MANY or not once:
            continue
        for runs in (once, many):
            figure = _whole_figure(case, runs)
            name = f"star schema in PostgreSQL, {figure.records} lines: lines/s"
            yield Promise(name, figure.records_per_second, 50_000)
        if rows:
            by_rows = _whole_figure(case, rows).records_per_second
            value = _whole_figure(case, many).records_per_second / by_rows
            yield Promise("star schema: times faster than row by row", value, 200)
        value = median(r.peak_rss_bytes for r in many) / median(r.peak_rss_bytes for r in once)
        yield Promise("star schema: memory of many, in times", value, 1.2, is_at_most=True)
