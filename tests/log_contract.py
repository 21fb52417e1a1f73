"""What every log does, whatever it is on: tests that each backend's tests inherit.

A log on a server shows what was committed some milliseconds later, and may leave gaps between
positions, so tests ask for what is to be seen until it is.
"""

import asyncio
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import pytest

from clearhouse.log.log import (
    PARTITION_SPAN,
    Log,
    LogError,
    Message,
    Progress,
    Record,
    StaleProgress,
    partition_of,
)
from clearhouse.log.opening import Topic

TOPICS = (Topic("a"), Topic("b", 7), Topic("store:orders", is_source=True))
PATIENCE_SECONDS = 60
Opener = Callable[[], Log]


def some(topic, *values, key="k"):
    return [Message(topic, key, value.encode()) for value in values]


def values(records):
    return [record.value.decode() for record in records]


def seen(ask, wanted):
    """What is asked for, as soon as it is what is wanted; the last answer if it never is."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while (found := ask()) != wanted and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return found


def whole(log, topic) -> list[Record]:
    """Every record of a topic, partition by partition."""
    found = []
    for partition in range(log.partitions(topic)):
        position = partition * PARTITION_SPAN
        while records := log.read(topic, position):
            found += records
            position = records[-1].position + 1
    return found


def code_of(call, *arguments):
    with pytest.raises(LogError) as caught:
        call(*arguments)
    return caught.value.code


def handled(subscription, count, limit=3, answer=lambda record: [Message("b", "k", record.value)]):
    """Read and commit until so many records are handled."""
    done = []
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while len(done) < count:
        assert time.monotonic() < give_up_at, f"{len(done)} of {count} were given"
        records = subscription.read(limit)
        if not records:
            time.sleep(0.02)
            continue
        subscription.commit(records, [m for record in records for m in answer(record)])
        done += records
    return done


class LogContract:
    """Inherit it beside a fixture `opened`: a function that opens one and the same log."""

    def test_what_is_appended_is_read_at_its_positions_and_keys_keep_their_order(self, opened):
        log = opened()
        messages = [Message("a", f"key {n % 5}", b"%d" % n) for n in range(50)]
        positions = log.append(messages)

        found = {record.position: record for record in whole(opened(), "a")}
        assert [(found[p].key, found[p].value) for p in positions] == [
            (m.key, m.value) for m in messages
        ]
        by_key = defaultdict(list)
        for record in found.values():
            by_key[record.key].append((partition_of(record.position), int(record.value)))
        for placed in by_key.values():
            assert len({partition for partition, _ in placed}) == 1
            assert [n for _, n in placed] == sorted(n for _, n in placed)

    def test_a_read_begins_and_ends_where_it_is_asked_to(self, opened):
        log = opened()
        positions = log.append(some("a", *"12345"))
        assert values(log.read("a", positions[1], 2)) == ["2", "3"]
        assert values(log.read("a", positions[3], 2)) == ["4", "5"]
        assert values(log.read("a", positions[2])) == ["3", "4", "5"]
        assert log.read("a", positions[-1] + 1) in ([], ())
        assert log.end("a", partition_of(positions[0])) == positions[-1] + 1

    def test_a_message_without_a_key_and_one_without_a_value_are_kept(self, opened):
        log = opened()
        (position,) = log.append([Message("a", "", b"")])
        (record,) = log.read("a", position)
        assert (record.key, record.value) == ("", b"")

    def test_progress_is_committed_with_the_messages_or_neither_is(self, opened):
        log, other = opened(), opened()
        assert (log.progress("c", "a"), other.progress("c", "a")) == (0, 0)
        log.append(some("b", "1"), Progress("c", "a", 5))

        # The other has read further, of what the first has done meanwhile.
        with pytest.raises(StaleProgress):
            other.append(some("b", "again"), Progress("c", "a", 7))
        assert other.progress("c", "a") == 5
        other.append((), Progress("c", "a", 7))
        with pytest.raises(StaleProgress):
            log.append(some("b", "late"), Progress("c", "a", 6))
        with pytest.raises(StaleProgress):  # one who has never asked begins at 0
            opened().append((), Progress("c", "a", 9))

        assert (log.progress("c", "a"), log.progress("other", "a")) == (7, 0)
        log.settle(["b"])
        assert values(whole(log, "b")) == ["1"]
        log.append(some("b", "2"), Progress("c", "a", 8))
        log.settle(["b"])
        assert values(whole(log, "b")) == ["1", "2"]

    def test_a_progress_that_another_process_moved_is_moved_on_by_who_asks_for_it(self, opened):
        one, other = opened(), opened()

        def move(log, to):
            for _ in range(3):  # who is fenced is told so when it appends
                at = log.progress("c", "a")
                with suppress(StaleProgress):
                    log.append(some("b", "1"), Progress("c", "a", to))
                    return at
            raise AssertionError("it can't be moved any more")

        movers = [one, other, one, one, other]
        assert [move(log, to) for to, log in enumerate(movers, 1)] == [0, 1, 2, 3, 4]
        one.settle(["b"])
        assert len(whole(one, "b")) == 5

    def test_an_append_with_progress_says_where_its_messages_are(self, opened):
        log = opened()
        messages = [Message("b", f"key {n}", b"%d" % n) for n in range(20)]
        positions = log.append(messages, Progress("c", "a", 1))
        wanted = dict(zip(positions, [m.value for m in messages], strict=True))
        log.settle(["b"])
        assert {r.position: r.value for r in whole(log, "b")} == wanted

    def test_progress_in_a_source_that_is_no_topic_is_kept_too(self, opened):
        log = opened()
        assert log.progress("c", "store:orders") == 0
        log.append(some("b", "1"), Progress("c", "store:orders", 17))
        assert (opened().progress("c", "store:orders"), log.progress("c", "a")) == (17, 0)

    def test_a_subscription_gives_each_record_once_and_goes_on_after_a_restart(self, opened):
        log = opened()
        sent = [Message("a", f"key {n}", b"%d" % n) for n in range(20)]
        log.append(sent)
        first = log.subscribe("c", "a")
        done = handled(first, 8)
        first.close()
        second = opened().subscribe("c", "a")
        done += handled(second, 20 - len(done))

        assert sorted(int(r.value) for r in done) == list(range(20))
        assert second.read(3) in ([], ())
        second.close()
        copied = sorted(int(m.value) for m in sent)
        log.settle(["b"])
        assert sorted(int(r.value) for r in whole(log, "b")) == copied
        reached = [log.progress("c", "a", p) for p in range(log.partitions("a"))]
        assert sum(log.waiting("a", position) for position in reached) == 0
        assert sum(log.waiting("a", p * PARTITION_SPAN) for p in range(log.partitions("a"))) >= 20

    def test_what_was_read_and_not_committed_is_given_again(self, opened):
        log = opened()
        log.append(some("a", *"12345"))
        subscription = log.subscribe("c", "a")
        assert seen(lambda: values(subscription.read(4)), list("1234")) == list("1234")
        for _ in range(20):  # a bounded memory is used, however often it is read
            assert seen(lambda: values(subscription.read(4)), list("1234")) == list("1234")
        records = subscription.read(4)
        subscription.commit(records[:2], some("b", "12"))
        assert seen(lambda: values(subscription.read(4)), list("345")) == list("345")
        subscription.close()

    def test_records_are_read_on_while_those_before_them_are_committed(self, opened):
        log = opened()
        log.append(some("a", *"1234567"))
        subscription = log.subscribe("c", "a")
        subscription.end_commit()  # of nothing
        for wanted in ("12", "345", "67"):
            most = len(wanted)
            assert seen(lambda most=most: values(subscription.read(most)), [*wanted]) == [*wanted]
            records = subscription.read(most)
            subscription.end_commit()
            subscription.begin_commit(records, some("b", *wanted))
        subscription.close()  # what was begun is ended

        again = opened().subscribe("c", "a")
        assert again.read(3) in ([], ())
        again.close()
        log.settle(["b"])
        assert values(whole(log, "b")) == list("1234567")

    def test_two_who_subscribe_as_one_consumer_handle_each_record_once(self, opened):
        log = opened()
        subscriptions = [opened().subscribe("c", "a") for _ in range(2)]
        total = 200
        log.append([Message("a", f"key {n}", b"%d" % n) for n in range(total)])
        copies, give_up_at = 0, time.monotonic() + PATIENCE_SECONDS
        while copies < total and time.monotonic() < give_up_at:
            for subscription in subscriptions:
                records = subscription.read(7)
                try:
                    if records:
                        copied = [Message("b", r.key, r.value) for r in records]
                        subscription.commit(records, copied)
                        copies += len(records)
                except StaleProgress:
                    continue
        for subscription in subscriptions:
            subscription.close()
        wanted = list(range(total))
        log.settle(["b"])
        assert sorted(int(r.value) for r in whole(log, "b")) == wanted

    def test_nothing_waits_at_the_end_of_what_was_written_with_progress(self, opened):
        log = opened()
        for n in range(3):
            log.append(some("a", str(n)), Progress("c", "b", n + 1))
        log.settle(["a"])
        assert values(whole(log, "a")) == list("012")
        first, _, last = whole(log, "a")
        assert log.waiting("a", first.position) >= 3
        assert log.waiting("a", last.position) >= 1
        assert log.waiting("a", last.position + 1) == 0
        assert log.waiting("a", log.end("a", partition_of(last.position))) == 0

    def test_a_day_is_found_by_when_its_records_were_appended(self, opened):
        log = opened()
        log.append([Message("a", f"key {n}", b"%d" % n) for n in range(20)])
        records = whole(log, "a")
        days = {record.appended_at.date() for record in records}
        for partition in range(log.partitions("a")):
            mine = [r for r in records if partition_of(r.position) == partition]
            for day in days:
                of_day = [r.position for r in mine if r.appended_at.date() == day]
                first, after = log.positions_of("a", day, partition)
                assert [r.position for r in mine if first <= r.position < after] == of_day
            first, after = log.positions_of("a", min(days) - dt.timedelta(days=3), partition)
            assert (first, after) == (partition * PARTITION_SPAN,) * 2
            first, after = log.positions_of("a", max(days) + dt.timedelta(days=3), partition)
            assert first == after == log.end("a", partition)

    def test_a_moment_is_found_by_when_records_were_appended(self, opened):
        log = opened()
        for n in range(9):
            log.append([Message("a", f"key {n}", b"")])
            time.sleep(0.002)
        records = whole(log, "a")
        log.age_out({"a": [records[0].position + 1]})
        for partition in range(log.partitions("a")):
            mine = [r for r in records[1:] if partition_of(r.position) == partition]
            for moment in {each.appended_at for each in records}:
                later = [r.position for r in mine if r.appended_at >= moment]
                found = log.position_at("a", moment, partition)
                assert [r.position for r in mine if r.position >= found] == later
            after = max(r.appended_at for r in records) + dt.timedelta(seconds=1)
            assert log.position_at("a", after, partition) == log.end("a", partition)

    def test_what_is_aged_out_is_refused_and_positions_go_on(self, opened):
        log = opened()
        positions = log.append(some("a", *"12345"))
        assert log.age_out({"a": [positions[3]]}) == 3
        assert log.age_out({"a": [positions[3]]}) == 0
        assert log.first("a", partition_of(positions[3])) == positions[3]
        assert code_of(log.read, "a", positions[2]) == "aged_out"
        assert values(log.read("a", positions[3])) == ["4", "5"]
        assert log.age_out({"a": [positions[-1] + 90]}) == 2
        assert log.waiting("a", positions[-1] + 1) == 0
        assert list(log.append(some("a", "6"))) == [positions[-1] + 1]
        assert values(opened().read("a", positions[-1] + 1)) == ["6"]

    def test_it_is_known_of_which_days_records_were_forgotten(self, opened):
        log = opened()
        positions = log.append(some("a", *"123"))
        partition = partition_of(positions[0])
        days = [record.appended_at.date() for record in log.read("a", positions[0])]

        assert log.forgotten_through("a", partition) is None
        for count in (1, 3):  # in part, and whole
            log.age_out({"a": [positions[count - 1] + 1]})
            assert opened().forgotten_through("a", partition) == days[count - 1]
        log.append(some("a", "4"))
        assert log.forgotten_through("a", partition) == days[-1]

    def test_a_position_beyond_the_end_means_another_log(self, opened):
        log = opened()
        (position,) = log.append(some("a", "1"))
        assert code_of(log.read, "a", position + 2) == "another_log"

    @pytest.mark.parametrize(
        ("message", "code"),
        [
            (Message("c", "k", b""), "unknown_topic"),
            (Message("a", "k", bytes((4 << 20) + 1)), "message_too_large"),
        ],
    )
    def test_a_message_that_can_not_be_taken_takes_its_call_with_it(self, opened, message, code):
        log = opened()
        assert code_of(log.append, [*some("a", "1"), message]) == code
        assert code_of(log.append, [*some("a", "1"), message], Progress("c", "a", 1)) == code
        assert (whole(log, "a"), log.progress("c", "a")) == ([], 0)

    def test_the_largest_message_is_taken_and_a_read_of_many_is_bounded(self, opened):
        log = opened()
        sent = [Message("a", "k", bytes([n]) * (4 << 20)) for n in range(12)]
        positions = [position for m in sent for position in log.append([m])]
        first = log.read("a", positions[0])
        assert 0 < len(first) < 12
        rest = [log.read("a", position, 1)[0] for position in positions[len(first) :]]
        assert [r.value[0] for r in (*first, *rest)] == list(range(12))

    def test_tasks_append_side_by_side_and_each_gets_its_own_positions(self, opened):
        log = opened()

        async def act():
            appender = log.appender()
            calls = [some("a", *(f"{n}.{at}" for at in range(n % 3 + 1))) for n in range(60)]
            given = await asyncio.gather(*(appender.append(messages) for messages in calls))
            last = asyncio.create_task(appender.append(some("a", "last")))
            await asyncio.sleep(0)
            await appender.close()
            with pytest.raises(LogError) as caught:
                await appender.append(some("a", "late"))
            assert caught.value.code == "log_closed"
            return [*zip(calls, given, strict=True), (some("a", "last"), await last)]

        appended = asyncio.run(act())
        found = {record.position: record.value for record in whole(log, "a")}
        assert [found[p] for _, positions in appended for p in positions] == [
            m.value for messages, _ in appended for m in messages
        ]
        assert len(found) == sum(len(messages) for messages, _ in appended)

    def test_an_appender_refuses_what_the_log_refuses(self, opened):
        log = opened()

        async def code(message):
            appender = log.appender()
            try:
                with pytest.raises(LogError) as caught:
                    await appender.append([message])
                return caught.value.code
            finally:
                await appender.close()

        assert asyncio.run(code(Message("c", "k", b""))) == "unknown_topic"
        assert asyncio.run(code(Message("a", "k", bytes((4 << 20) + 1)))) == "message_too_large"

    def test_a_log_is_the_same_one_for_all_who_open_it(self, opened):
        assert opened().identity == opened().identity
