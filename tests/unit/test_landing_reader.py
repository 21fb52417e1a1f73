"""What the books know of landed days comes from the bytes that lie there, read once or again."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playback import SIMTOM
from reckoning import Line, sums, texts

from clearhouse.books.measure import record_hash
from clearhouse.books.model import Totals
from clearhouse.core.contract import Contract
from clearhouse.core.contract.reading import read_line, read_records
from clearhouse.core.errors import StoreError
from clearhouse.core.resources import resource
from clearhouse.landing import LandedObject, Landing
from clearhouse.landing.spine import LandingReader, Lines
from clearhouse.store.database import open_database
from clearhouse.store.landing_totals import LandingTotals

SOURCE = "simtom"
DAY, NEXT, EMPTY = (dt.date(2024, 1, day) for day in (1, 2, 3))
RECORDS = texts((SIMTOM / "three-days-seed-42.txt").read_bytes())
CONTRACT = Contract.load(resource("contracts") / "bnpl" / "transactions.yaml")


class Watched(Landing):
    """A landing that tells which objects were unpacked."""

    unpacked: list[str]

    def read(self, landed: LandedObject) -> bytes:
        self.unpacked.append(landed.key)
        return super().read(landed)


@pytest.fixture
def landing(tmp_path: Path) -> Watched:
    landing = Watched.from_url((tmp_path / "landing").as_uri())
    landing.unpacked = []
    return landing


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'clearhouse.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def open_reader(landing: Watched, database: sa.Engine) -> Callable[..., LandingReader]:
    """Readers as each process opens them: open_reader("the state of the code")."""

    def open_reader(code: str = "code") -> LandingReader:
        return LandingReader(landing, CONTRACT, (SOURCE,), LandingTotals(database, code))

    return open_reader


def payload(*lines: bytes) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def put(landing: Landing, day: dt.date, *lines: bytes) -> LandedObject:
    return landing.put(SOURCE, day, payload(*lines), {})


def expected(lines: list[bytes]) -> Totals:
    """Totals of lines, one by one."""
    records, cents = sums(map(Line, lines))
    read = [read_line(line, CONTRACT, SOURCE) for line in lines]
    hashes = (record_hash(r["_record_id"], r["amount_minor"], r["currency"]) for r in read)
    return Totals({"records": records, "hash": sum(hashes), "minor:USD": cents})


def test_every_line_is_counted_and_a_repeated_one_once_more_over_all_versions(
    landing: Watched, open_reader: Callable[..., LandingReader]
) -> None:
    put(landing, DAY, *RECORDS[:4], RECORDS[0])
    put(landing, DAY, *RECORDS[2:6], b"\xff no record")
    put(landing, NEXT, *RECORDS[:2])
    put(landing, EMPTY)
    days = [DAY, NEXT, EMPTY, dt.date(2024, 1, 9)]
    landed = [*RECORDS[:4], RECORDS[0], *RECORDS[2:6], b"\xff no record"]
    repeated = [RECORDS[0], *RECORDS[2:4]]

    for _measured_or_known in range(2):
        reader = open_reader()
        assert reader.totals(days, Lines.ALL) == {
            DAY: expected(landed), NEXT: expected(RECORDS[:2]), EMPTY: Totals(), days[-1]: Totals()
        }  # fmt: skip
        assert reader.totals(days, Lines.REPEATED) == {
            DAY: expected(repeated), NEXT: Totals(), EMPTY: Totals(), days[-1]: Totals()
        }  # fmt: skip
        assert reader.day_rows(DAY)["nth"].to_pylist().count(2) == len(repeated)


def test_the_same_bytes_are_measured_once_for_every_later_process(
    landing: Watched, open_reader: Callable[..., LandingReader]
) -> None:
    put(landing, DAY, *RECORDS[:9])
    open_reader().measure([DAY], SOURCE)
    assert len(landing.unpacked) == 1

    for lines in Lines:
        open_reader().totals([DAY], lines)
    assert len(landing.unpacked) == 1

    assert open_reader("other code").totals([DAY], Lines.ALL) == {DAY: expected(RECORDS[:9])}
    assert len(landing.unpacked) == 2


def test_a_correction_is_measured_with_what_came_before(
    landing: Watched, open_reader: Callable[..., LandingReader]
) -> None:
    put(landing, DAY, *RECORDS[:3])
    reader = open_reader()
    reader.measure([DAY], SOURCE)
    put(landing, DAY, *RECORDS[1:4])
    reader.measure([DAY], SOURCE)

    for each in (reader, open_reader()):
        assert each.totals([DAY], Lines.ALL)[DAY] == expected([*RECORDS[:3], *RECORDS[1:4]])
        assert each.totals([DAY], Lines.REPEATED)[DAY] == expected(RECORDS[1:3])


def test_known_totals_do_not_speak_for_bytes_that_rot(
    landing: Watched, open_reader: Callable[..., LandingReader]
) -> None:
    landed = put(landing, DAY, *RECORDS[:9])
    open_reader().measure([DAY], SOURCE)
    path = Path(str(landing.local_path(landed)))
    path.write_bytes(path.read_bytes()[:-1] + b"!")

    with pytest.raises(StoreError, match=landed.key):
        open_reader().totals([DAY], Lines.ALL)


@pytest.mark.parametrize("odd", [b"{}", b"\xff\xfe not UTF-8", b"", "é …".encode()])
def test_a_kept_reading_is_what_a_new_one_would_be(
    landing: Watched, open_reader: Callable[..., LandingReader], odd: bytes
) -> None:
    lines = [*RECORDS[:5], odd]
    landed = put(landing, DAY, *lines)
    again = put(landing, NEXT, *lines)
    reader = open_reader()
    reader.measure([DAY], SOURCE)
    reader.measure([NEXT], SOURCE)

    fresh = read_records(payload(*lines), CONTRACT, SOURCE)
    for each in (landed, again, landed):
        assert reader.reading(each, payload(*lines)).equals(fresh)


def test_a_day_of_two_sources_is_the_rows_of_both(landing: Watched, database: sa.Engine) -> None:
    for source in ("north", "south"):
        landing.put(source, DAY, payload(*RECORDS[:3], RECORDS[0]), {})
    landing.put("south", NEXT, payload(*RECORDS[3:5]), {})
    sources = ("north", "south")
    reader = LandingReader(landing, CONTRACT, sources, LandingTotals(database, "code"))
    for source in sources:
        reader.measure([DAY], source)
    assert reader.totals([DAY], Lines.ALL)[DAY].records == 8
    assert len(landing.unpacked) == 2, "each object is read once, for its source and for the day"

    rows = reader.day_rows(DAY)
    ids = {
        read_line(line, CONTRACT, source)["_record_id"]
        for source in sources
        for line in RECORDS[:3]
    }
    assert set(rows["_record_id"].to_pylist()) == ids
    assert sorted(rows["nth"].to_pylist()) == [1] * 6 + [2] * 2
    totals = reader.totals([DAY, NEXT, EMPTY], Lines.ALL)
    assert [totals[day].records for day in (DAY, NEXT, EMPTY)] == [8, 2, 0]
    assert reader.totals([DAY], Lines.REPEATED)[DAY].records == 2
    for landed in (o for source in sources for o in landing.objects(source, DAY)):
        fresh = read_records(landing.read(landed), CONTRACT, landed.source)
        assert reader.reading(landed, landing.read(landed)).equals(fresh)
