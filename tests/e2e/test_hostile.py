"""Eighteen days of a source at its worst: each line that it served is somewhere, to the cent.

What it served is fetched once more, from a second sandbox of the same seed, and reckoned without
the platform (`reckoning`).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import httpx
import pytest
from bnpl_home import Warehouse
from reckoning import Arrived, Line, Sums, seen, sums

from clearhouse.bnpl.source import SIMTOM, SimtomConnection
from clearhouse.books.audit import Audit, Finding
from clearhouse.core.errors import ExitCode
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.runner import RunReport
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import running
from clearhouse.sandbox.simtom.hostile import MODES, faults_of
from clearhouse.store.quarantine import QuarantinedRow

SEED = 42
DAYS = list(Window.starting(dt.date(2024, 3, 1), 18).days())
NEGATIVE = dt.date(2024, 3, 17)
OPTIONS = SandboxOptions(
    seed=SEED,
    volume="formula",
    hostile=True,
    faults={NEGATIVE: ("negative_amounts",)},
    retry_after_seconds=0,
    slow_seconds=0.01,
)
ATTEMPTS = 4
POLICY = HttpPolicy(
    attempts=ATTEMPTS, wait_initial_seconds=0.01, wait_max_seconds=0.02, wait_jitter_seconds=0.01
)
MOST_RUNS = 4


# --- the source, as anybody can ask it ----------------------------------------------------------


@dataclass
class Wire:
    """A second sandbox of the same seed, asked with plain HTTP."""

    client: httpx.Client

    def day(self, day: dt.date) -> tuple[bytes, int]:
        """The first whole answer for a day, and how many attempts it took."""
        asked = {
            "start_date": str(day),
            "end_date": str(day),
            "base_daily_volume": 150,
            "seed": SEED + day.toordinal(),
        }
        for attempt in range(1, 20):
            try:
                answer = self.client.post("/stream/bnpl", json=asked)
            except httpx.RemoteProtocolError:
                continue
            if answer.status_code == 200 and answer.content.endswith(b"\n\n"):
                return answer.content, attempt
        raise AssertionError(f"{day} never came")


# --- the platform -------------------------------------------------------------------------------


@dataclass
class Patient(Warehouse):
    """A warehouse whose client makes so many attempts, and waits little between them."""

    def open(self, *, refresh: bool = False) -> Run:
        run = super().open(refresh=refresh)
        connection = run.connections[SIMTOM]
        assert isinstance(connection, SimtomConnection)
        run.connections = {SIMTOM: replace(connection, policy=POLICY)}
        return run


def figures(audited: Audit) -> dict[dt.date, dict[tuple[str, str], Sums]]:
    """What the books measure, by day, hop and side."""
    found: dict[dt.date, dict[tuple[str, str], Sums]] = defaultdict(dict)
    for entry in audited.entries:
        for side, totals in entry.totals.items():
            found[entry.key.book_date][entry.key.hop, str(side)] = (
                totals.records,
                totals["minor:USD"],
            )
    return found


@dataclass(frozen=True)
class Standing:
    """How a warehouse stands after a pull, and what had arrived by then.

    Attributes:
        held: by step, the days that it held, with the reason.
        readers: by day, cents by key.
        published: by day, the current lines of the version that was last published.
    """

    arrived: dict[dt.date, Arrived]
    published: dict[dt.date, list[Line]]
    held: dict[str, dict[dt.date, str]]
    findings: tuple[Finding, ...]
    figures: dict[dt.date, dict[tuple[str, str], Sums]]
    readers: dict[dt.date, dict[tuple[str, str], int]]
    quarantined: dict[dt.date, list[QuarantinedRow]]


@dataclass
class Story:
    """A warehouse that meets the hostile source.

    Attributes:
        attempts: by day, how many it takes until it comes whole for the first time.
        failed: for each run, the days that did not come, with the sentence that says so.
        landed: for each run, the days that have landed after it.
    """

    warehouse: Patient
    wire: Wire
    attempts: list[dict[dt.date, int]] = field(default_factory=list)
    failed: list[dict[dt.date, str]] = field(default_factory=list)
    landed: list[set[dt.date]] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)

    def run(self, *, refresh: bool = False) -> RunReport:
        report = self.warehouse.run(DAYS[0], DAYS[-1], refresh=refresh)
        landing = self.warehouse.open().landing
        self.failed.append(report.steps["extract_daily_batch"].failed)
        self.landed.append({day for day in DAYS if landing.objects(SIMTOM, day)})
        return report

    def stand(self, report: RunReport) -> None:
        """Fetch from the wire what the platform was given, and note how it stands."""
        before = self.standings[-1] if self.standings else None
        came = {day: self.wire.day(day) for day in DAYS}
        self.attempts.append({day: attempts for day, (_, attempts) in came.items()})
        arrived = {
            day: (before.arrived[day] if before else Arrived()).and_then(stream)
            for day, (stream, _) in came.items()
        }
        held = {name: step.held for name, step in report.steps.items()}
        published = dict(before.published) if before else {}
        for day in DAYS:
            if not any(day in days for days in held.values()):
                published[day] = arrived[day].current()
        audited = self.warehouse.audit()
        rows = self.warehouse.open().quarantine.of_days("bnpl.transactions", DAYS, limit=10_000)
        self.standings.append(
            Standing(
                arrived=arrived,
                published=published,
                held=held,
                findings=audited.findings,
                figures=figures(audited),
                readers=visible(self.warehouse),
                quarantined={day: [r for r in rows if r.book_date == day] for day in DAYS},
            )
        )


def visible(warehouse: Warehouse) -> dict[dt.date, dict[tuple[str, str], int]]:
    found: dict[dt.date, dict[tuple[str, str], int]] = defaultdict(dict)
    sql = "SELECT _book_date, business_date, transaction_id, amount FROM {readers}"
    for row in warehouse.readers(sql):
        key = str(row["business_date"]), row["transaction_id"]
        assert key not in found[row["_book_date"]]
        found[row["_book_date"]][key] = int(row["amount"] * 100)
    return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A pull with the runs that it takes, then a second pull of every day."""
    with (
        running(OPTIONS) as url,
        running(OPTIONS) as same,
        httpx.Client(base_url=same) as client,
    ):
        story = Story(Patient(tmp_path_factory.mktemp("hostile"), url), Wire(client))
        report = story.run()
        while report.exit_code is ExitCode.FAILED and len(story.failed) < MOST_RUNS:
            report = story.run()
        story.stand(report)
        story.stand(story.run(refresh=True))
        yield story


@pytest.fixture(params=[0, 1], ids=["first pull", "second pull"])
def standing(story: Story, request: pytest.FixtureRequest) -> Standing:
    found: Standing = story.standings[request.param]
    return found


# --- what is promised ---------------------------------------------------------------------------


def test_every_mode_is_on() -> None:
    on = Counter(fault.partition(":")[0] for day in DAYS for fault in faults_of(SEED, day))
    assert on.keys() == set(MODES)


def test_a_day_that_does_not_come_fails_alone_and_a_later_run_gets_it(story: Story) -> None:
    too_hostile = {day for day, attempts in story.attempts[0].items() if attempts > ATTEMPTS}
    assert too_hostile
    assert set(story.failed[0]) == too_hostile
    assert story.landed[0] == set(DAYS) - too_hostile
    assert all(f"(tried {ATTEMPTS} times)" in why for why in story.failed[0].values())
    assert story.failed[-1] == {}
    assert story.landed[-1] == set(DAYS)


def test_the_books_balance(standing: Standing) -> None:
    assert standing.findings == ()


def test_every_line_stands_on_its_side_of_the_books_to_the_cent(standing: Standing) -> None:
    for day in DAYS:
        expected = standing.arrived[day].sides()
        if day in standing.held["validate_raw_schema"]:
            expected = {k: v for k, v in expected.items() if k[0] == "landing → bronze"}
        found = standing.figures[day]
        assert {side: found.get(side, (0, 0)) for side in expected} == expected, day


def test_what_is_rejected_lies_in_quarantine_whole_and_with_its_reason(standing: Standing) -> None:
    for day in DAYS:
        rows = standing.quarantined[day]
        assert sorted(row.raw for row in rows) == sorted(
            line.text for line in standing.arrived[day].rejected()
        )
        assert all(v.code and v.detail for row in rows for v in row.violations)
        assert all(row.violations for row in rows)


def test_days_are_held_for_what_they_hold_and_no_others(standing: Standing) -> None:
    raw, business = (
        standing.held[gate] for gate in ("validate_raw_schema", "validate_business_rules")
    )
    too_many = {day for day in DAYS if standing.arrived[day].is_held_for_its_rejected()}
    assert too_many
    assert set(raw) == too_many
    assert all("rejected_share" in why for why in raw.values())
    assert set(business) == {NEGATIVE}
    assert all("amount_minor" in why for why in business.values())


def test_readers_see_the_newest_of_every_published_record_once(standing: Standing) -> None:
    expected = seen(standing.published)
    assert standing.readers == {
        day: {line.key: line.cents for line in sides["out"]} for day, sides in expected.items()
    }
    for day, sides in expected.items():
        found = standing.figures[day]
        for side in ("out", "duplicate", "superseded"):
            assert found.get(("gold → readers", side), (0, 0)) == sums(sides[side]), (day, side)


def test_records_that_come_again_on_a_later_day_are_counted(story: Story) -> None:
    again = sum(len(sides["duplicate"]) for sides in seen(story.standings[0].published).values())
    assert again > 0


def test_a_second_pull_supersedes_what_was_restated(story: Story) -> None:
    first, second = story.standings
    superseded = ("bronze → silver", "superseded")
    restated = [
        day
        for day in DAYS
        if "restated_later" in faults_of(SEED, day)
        and day in second.published
        and day not in second.held["validate_raw_schema"]
    ]
    assert restated
    for day in restated:
        assert second.figures[day][superseded] > first.figures[day].get(superseded, (0, 0))
        assert second.readers[day] != first.readers[day]
        assert second.readers[day].keys() == first.readers[day].keys()
