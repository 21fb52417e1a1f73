"""Group commit: who waits at the same time shares a transaction, and gets their own answer."""

import asyncio
import threading

import pytest

from clearhouse.log.group_commit import GroupCommit
from clearhouse.log.log import LogError, Message


class SlowLog:
    """Takes what it is given when it is let, and keeps each call's messages."""

    def __init__(self):
        self.calls = []
        self.may_go_on = threading.Event()
        self.error = None

    def append(self, messages, progress=None):
        self.may_go_on.wait(10)
        if self.error is not None:
            raise self.error
        first = sum(map(len, self.calls))
        self.calls.append([message.value for message in messages])
        return range(first, first + len(messages))


def one(value):
    return Message("a", "k", value)


def test_those_who_come_during_a_commit_share_the_next_and_get_their_positions():
    log = SlowLog()

    async def act():
        group = GroupCommit(log)
        tasks = [asyncio.create_task(group.append([one(b"%d" % n)] * (n + 1))) for n in range(4)]
        await asyncio.sleep(0)
        log.may_go_on.set()
        return [list(await task) for task in tasks]

    assert asyncio.run(act()) == [[0], [1, 2], [3, 4, 5], [6, 7, 8, 9]]
    assert len(log.calls) <= 2


def test_a_failure_reaches_everyone_of_the_group_and_nobody_after_it():
    log = SlowLog()
    log.may_go_on.set()

    async def act():
        group = GroupCommit(log)
        log.error = LogError("The log is full.", "log_full")
        failed = await asyncio.gather(
            *(group.append([one(b"x")]) for _ in range(3)), return_exceptions=True
        )
        log.error = None
        return failed, list(await group.append([one(b"y")]))

    failed, after = asyncio.run(act())
    assert [error.code for error in failed] == ["log_full"] * 3
    assert after == [0]


def test_the_queue_is_bounded_and_who_comes_waits_for_room():
    log = SlowLog()

    async def act():
        group = GroupCommit(log, most_waiting_bytes=100)
        tasks = [asyncio.create_task(group.append([one(bytes(40))])) for _ in range(8)]
        for _ in range(20):
            await asyncio.sleep(0)
        queued = group._room.taken
        log.may_go_on.set()
        await asyncio.gather(*tasks)
        alone = await group.append([one(bytes(500))])  # larger than the queue, and not kept out
        return queued, list(alone)

    queued, alone = asyncio.run(act())
    assert queued <= 100
    assert (sum(map(len, log.calls)), alone) == (9, [8])


def test_closing_appends_what_waits_and_refuses_what_comes_later():
    log = SlowLog()

    async def act():
        group = GroupCommit(log)
        tasks = [asyncio.create_task(group.append([one(b"%d" % n)])) for n in range(5)]
        cancelled = tasks.pop()
        await asyncio.sleep(0)
        cancelled.cancel()
        closing = asyncio.create_task(group.close())
        await asyncio.sleep(0)
        log.may_go_on.set()
        await closing
        with pytest.raises(LogError) as caught:
            await group.append([one(b"late")])
        return [list(task.result()) for task in tasks], caught.value.code

    assert asyncio.run(act()) == ([[0], [1], [2], [3]], "log_closed")
    assert sum(map(len, log.calls)) >= 4
