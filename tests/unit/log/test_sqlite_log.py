"""The log in a SQLite file: positions, time, progress, and what a failure leaves."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading

import pytest

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import LogError, Message, Progress, StaleProgress
from clearhouse.log.opening import LogPlace, Topic, open_log
from clearhouse.log.sqlite import SqliteLog

TOPICS = ("a", "b")
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def opened(tmp_path):
    """Opens the same log again and again; closes all at the end."""
    logs = []

    def open_it(**options):
        logs.append(SqliteLog(tmp_path / "log.db", TOPICS, **options))
        return logs[-1]

    yield open_it
    for log in logs:
        log.close()


def some(topic, *values):
    return [Message(topic, f"key of {value}", value.encode()) for value in values]


def values(records):
    return [record.value.decode() for record in records]


def code_of(call, *arguments):
    with pytest.raises(LogError) as caught:
        call(*arguments)
    return caught.value.code


def test_each_topic_counts_from_zero_without_gaps_and_gives_what_was_appended(opened):
    log = opened()
    assert list(log.append([*some("a", "1"), *some("b", "x"), *some("a", "2")])) == [0, 0, 1]
    assert list(log.append(some("a", "3"))) == [2]

    assert [(r.position, r.key, r.value) for r in opened().read("a", 1)] == [
        (1, "key of 2", b"2"),
        (2, "key of 3", b"3"),
    ]
    assert values(log.read("a", 0, limit=2)) == ["1", "2"]
    assert (log.end("a"), log.end("b"), list(log.read("b", 1))) == (3, 1, [])


def test_time_never_goes_back_and_days_are_known_after_they_are_aged_out(opened):
    clock = Clock()
    log = opened(clock=clock)
    log.append(some("a", "1", "2"))
    clock.now = NOON - dt.timedelta(hours=1)
    log.append(some("a", "3"))
    clock.now = NOON + dt.timedelta(days=2)
    log.append(some("a", "4"))

    assert [r.appended_at for r in log.read("a", 0)] == [NOON, NOON, NOON, clock.now]
    for _ in range(2):
        days = [log.positions_of("a", NOON.date() + dt.timedelta(days=n)) for n in range(-1, 4)]
        assert days == [(0, 0), (0, 3), (3, 3), (3, 4), (4, 4)]
        log.age_out({"a": [4]})
    assert log.positions_of("b", NOON.date()) == (0, 0)


def test_what_is_aged_out_is_refused_and_positions_go_on(opened):
    log = opened()
    log.append(some("a", *"12345"))

    assert log.age_out({"a": [3], "b": [7]}) == 3
    assert code_of(log.read, "a", 2) == "aged_out"
    assert values(log.read("a", 3)) == ["4", "5"]
    assert log.age_out({"a": [99]}) == 2
    assert code_of(log.read, "a", 4) == "aged_out"
    assert list(log.read("a", 5)) == []
    assert list(log.append(some("a", "6"))) == [5]


def test_progress_is_committed_with_the_messages_or_neither_is(opened):
    log, other = opened(), opened()
    assert (log.progress("c", "a"), other.progress("c", "a")) == (0, 0)
    log.append(some("b", "1"), Progress("c", "a", 5))

    # The other has read further, of what the first has done meanwhile.
    with pytest.raises(StaleProgress):
        other.append(some("b", "again"), Progress("c", "a", 7))
    assert values(log.read("b", 0)) == ["1"]

    assert other.progress("c", "a") == 5
    other.append((), Progress("c", "a", 7))
    with pytest.raises(StaleProgress):
        log.append((), Progress("c", "a", 6))
    with pytest.raises(StaleProgress):  # one who has never asked begins at 0
        opened().append((), Progress("c", "a", 9))
    assert (log.progress("c", "a"), log.progress("other", "a")) == (7, 0)


def test_a_full_log_takes_nothing_of_a_call_and_goes_on_when_there_is_room(opened, tmp_path):
    log = opened(max_bytes=1 << 20)
    large = [Message("a", "k", bytes(300_000))]
    for _ in range(2):
        log.append(large)
    assert code_of(log.append, [*large, *large, *large], Progress("c", "a", 1)) == "log_full"

    assert (log.end("a"), log.progress("c", "a")) == (2, 0)
    assert len(log.read("a", 0)) == 2
    log.age_out({"a": [2]})
    assert list(log.append(large)) == [2]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Message("c", "k", b""), "unknown_topic"),
        (Message("a", "k", bytes((4 << 20) + 1)), "message_too_large"),
    ],
)
def test_a_message_that_can_not_be_taken_takes_its_call_with_it(opened, message, code):
    log = opened()
    assert code_of(log.append, [*some("a", "1"), message]) == code
    assert log.end("a") == 0


def test_a_position_beyond_the_end_means_another_log(opened):
    log = opened()
    log.append(some("a", "1"))
    assert code_of(log.read, "a", 2) == "another_log"


@pytest.mark.parametrize("is_replaced", [False, True])
def test_nothing_is_appended_to_a_file_that_was_removed(opened, tmp_path, is_replaced):
    log = opened()
    log.append(some("a", "1"))
    (tmp_path / "log.db").rename(tmp_path / "away.db")
    if is_replaced:
        (tmp_path / "log.db").touch()

    assert code_of(log.append, some("a", "2")) == "log_gone"
    assert code_of(log.read, "a", 0) == "log_gone"

    (tmp_path / "away.db").rename(tmp_path / "log.db")
    assert list(log.append(some("a", "2"))) == [1]


def test_a_read_of_large_records_is_bounded_and_goes_on(opened):
    log = opened()
    for n in range(12):
        log.append([Message("a", str(n), bytes(4 << 20))])
    first = log.read("a", 0)
    assert 0 < len(first) < 12
    assert [r.key for r in log.read("a", len(first))] == [str(n) for n in range(len(first), 12)]


def test_a_reader_does_not_wait_for_who_writes(opened, tmp_path):
    log = opened()
    log.append(some("a", "1"))
    with opened()._file.writing():  # another process in the middle of its transaction
        assert values(log.read("a", 0)) == ["1"]
        assert log.end("a") == 1


def test_a_file_that_is_no_log_and_a_url_that_names_none_are_said(tmp_path):
    file = tmp_path / "not a log.db"
    file.write_bytes(b"something else" * 1000)
    with pytest.raises(LogError, match=r"not a log\.db"):
        open_log(LogPlace(f"sqlite:///{file}"), [Topic(name) for name in TOPICS])
    with pytest.raises(SettingsError, match="LOG_URL"):
        open_log(LogPlace("mqtt://host"), [])


def test_threads_and_processes_append_at_the_same_time_without_a_gap(opened, tmp_path):
    log = opened()
    child = _appending_child(tmp_path)
    threads = [
        threading.Thread(target=lambda n=n: [log.append(some("a", f"{n}.{i}")) for i in range(20)])
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child.communicate(timeout=60)

    found = log.read("a", 0, limit=100_000)
    assert [r.position for r in found] == list(range(log.end("a")))
    assert {f"{n}.{i}" for n in range(3) for i in range(20)} < set(values(found))
    times = [r.appended_at for r in found]
    assert times == sorted(times)


def test_what_a_killed_process_was_told_of_is_there(opened, tmp_path):
    child = _appending_child(tmp_path, count=1_000_000)
    told = [int(child.stdout.readline()) for _ in range(30)]
    os.kill(child.pid, signal.SIGKILL)
    told += [int(line) for line in child.stdout.read().split()]

    found = opened().read("a", 0, limit=1_000_000)
    assert told == list(range(len(told)))
    assert values(found)[: len(told)] == [f"child {n}" for n in told]
    child.wait()


def _appending_child(folder, count=100):
    program = (
        "import sys; from pathlib import Path; from clearhouse.log.sqlite import SqliteLog;"
        "from clearhouse.log.log import Message;"
        f"log = SqliteLog(Path({str(folder / 'log.db')!r}), ('a', 'b'))\n"
        f"for n in range({count}):\n"
        "    print(*log.append([Message('a', 'k', f'child {n}'.encode())]), flush=True)"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
