"""Events that runs were started for are forgotten by the log when they are old."""

import asyncio
import datetime as dt
import threading

import pytest

from clearhouse.log.log import Message
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.topics import EVENTS, TOPICS
from clearhouse.payments.unrecorded import STARTER
from clearhouse.payments.workflows.starter_service import age_out, age_out_hourly

DAY = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)


def test_what_is_old_and_started_is_forgotten_and_what_is_not_started_is_kept(tmp_path):
    log = SqliteLog(tmp_path / "log.db", [topic.name for topic in TOPICS], clock=lambda: DAY)
    log.append([Message(EVENTS.name, "k", b"{}")] * 3)
    starter = log.subscribe(STARTER, EVENTS.name)
    starter.commit(starter.read(2), ())

    assert age_out(log, DAY.date() + dt.timedelta(days=EVENTS.days)) == 0
    assert age_out(log, DAY.date() + dt.timedelta(days=EVENTS.days + 1)) == 2
    assert [each.position for each in starter.read(9)] == [2]
    log.close()


def test_the_wait_for_the_next_hour_keeps_no_process_alive_that_a_defect_ends(tmp_path):
    log = SqliteLog(tmp_path / "log.db", [topic.name for topic in TOPICS])
    stop = threading.Event()
    give_up = threading.Timer(30, stop.set)
    give_up.start()

    async def defect():
        await asyncio.sleep(0.2)  # until the other has begun to wait
        raise ValueError

    async def both():
        async with asyncio.TaskGroup() as group:
            group.create_task(age_out_hourly(log, stop))
            group.create_task(defect())

    with pytest.raises(ExceptionGroup):
        asyncio.run(both())
    assert not stop.is_set()
    give_up.cancel()
    log.close()
