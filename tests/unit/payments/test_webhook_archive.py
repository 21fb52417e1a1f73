"""Raw webhooks in landing: objects that positions determine, and a log that may then forget."""

import datetime as dt

import payment_notifications as n
import pytest

from clearhouse.landing.store import Landing
from clearhouse.log.log import LogError, Message, Progress, Reached
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.aging import age_out
from clearhouse.payments.normalizer import archive as archiving
from clearhouse.payments.normalizer.aging import read_by_all
from clearhouse.payments.normalizer.archive import SOURCE, Archive, archived, archived_objects
from clearhouse.payments.topics import EVENTS, TOPICS, UNMAPPED, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook

DAY = dt.date(2026, 11, 2)
NEXT = DAY + dt.timedelta(days=1)


class _Clock:
    def __init__(self):
        self.now = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return _Clock()


@pytest.fixture
def log(tmp_path, clock):
    opened = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def landing(tmp_path):
    return Landing.from_url((tmp_path / "landing").as_uri())


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(archiving, "BLOCK", 4)


def put(log, *names):
    webhooks = [n.stored("stripe", {"name": name}) for name in names]
    log.append([Message(WEBHOOKS.name, "k", encode_webhook(each)) for each in webhooks])


def names(landing, day):
    return [(each.position, each.webhook.body[10:-2]) for each in archived(landing, day)]


def test_whole_blocks_land_and_a_growing_one_waits(log, landing, clock):
    put(log, *"abcdef")
    archive = Archive(log, landing, clock)

    assert [archive.step(), archive.step()] == [4, 0]

    assert names(landing, DAY) == [(0, "a"), (1, "b"), (2, "c"), (3, "d")]
    (landed,) = archived_objects(landing, DAY)
    assert (landed.records, landed.request["first_position"]) == (4, 0)
    assert landing.verify(landed)
    assert landing.unlanded(SOURCE) == []


def test_a_block_ends_with_its_day(log, landing, clock):
    put(log, *"ab")
    clock.now += dt.timedelta(days=1)
    put(log, *"cdef")
    archive = Archive(log, landing, clock)

    assert [archive.step(), archive.step(), archive.step()] == [2, 2, 0]

    assert names(landing, DAY) == [(0, "a"), (1, "b")]
    assert names(landing, NEXT) == [(2, "c"), (3, "d")]


def test_a_day_that_is_over_is_final_without_another_webhook(log, landing, clock):
    put(log, "a")
    archive = Archive(log, landing, clock)
    assert archive.step() == 0
    clock.now += dt.timedelta(days=1)

    assert archive.step() == 1


def test_a_flush_lands_all_and_what_comes_later_stands_once(log, landing, clock):
    archive = Archive(log, landing, clock)
    put(log, "a")
    assert archive.flush() == 1
    assert archive.flush() == 1  # the same bytes: nothing new
    put(log, *"bcde")
    assert archive.flush() == 5

    assert names(landing, DAY) == list(enumerate("abcde"))
    assert len(landing.objects(SOURCE, DAY)) == 3  # a, abcd, e


def test_a_crash_before_progress_repeats_the_same_object(log, landing, clock):
    put(log, *"abcd")
    archive = Archive(log, landing, clock)
    archive.flush()
    before = landing.objects(SOURCE, DAY)
    log.progress("archive", WEBHOOKS.name)
    again = Archive(_Forgetful(log), landing, clock)

    assert again.step() == 4

    assert landing.objects(SOURCE, DAY) == before


def test_two_processes_archive_each_webhook_once(log, landing, clock, tmp_path):
    put(log, *"abcdefghi")
    other_log = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=clock)
    first, second = Archive(log, landing, clock), Archive(other_log, landing, clock)

    assert first.step() == 4
    second.flush()
    first.flush()

    assert names(landing, DAY) == list(enumerate("abcdefghi"))
    assert len(landing.objects(SOURCE, DAY)) == 3
    other_log.close()


class _Forgetful:
    """A log whose archive has not come anywhere."""

    def __init__(self, log):
        self._log = log

    def __getattr__(self, name):
        return getattr(self._log, name)

    def progress(self, *_):
        return 0  # whichever partition

    def append(self, messages, progress):
        return ()


def test_what_is_no_webhook_keeps_its_place(log, landing, clock):
    put(log, "a")
    log.append([Message(WEBHOOKS.name, "k", b"two\nlines")])
    put(log, "c")

    Archive(log, landing, clock).flush()

    found = list(archived(landing, DAY))
    assert [each.position for each in found] == [0, 1, 2]
    assert found[1].webhook is None
    assert found[2].webhook.body == '{"name": "c"}'


def test_the_log_forgets_what_is_old_read_and_archived(log, landing, clock):
    put(log, *"abcd")
    log.append([Message(topic.name, "k", b"{}") for topic in (EVENTS, EVENTS, UNMAPPED)])
    later = DAY + dt.timedelta(days=WEBHOOKS.days)
    Archive(log, landing, clock).step()

    def forget(day):
        return age_out(log, day, {**read_by_all(log), EVENTS: Reached([1])})

    assert forget(later + dt.timedelta(days=1)) == 1  # an event: no webhook is normalized yet
    log.progress("normalizer", WEBHOOKS.name)
    log.append([], Progress("normalizer", WEBHOOKS.name, 3))
    assert forget(later) == 0  # not old enough
    assert forget(later + dt.timedelta(days=1)) == 3
    assert forget(DAY + dt.timedelta(days=UNMAPPED.days + 1)) == 1

    assert [each.position for each in log.read(WEBHOOKS.name, 3)] == [3]
    with pytest.raises(LogError):
        log.read(WEBHOOKS.name, 0)
