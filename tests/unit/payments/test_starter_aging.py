"""Events that runs were started for are forgotten by the log when they are old."""

import datetime as dt

from clearhouse.log.log import Message
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.topics import EVENTS, TOPICS
from clearhouse.payments.unrecorded import STARTER
from clearhouse.payments.workflows.starter_service import age_out

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
