"""How messages of tasks are gathered and handed to Kafka's client, which is a stand-in here."""

import asyncio
from collections import deque

import pytest
from confluent_kafka import KafkaError

from clearhouse.log.kafka import appender as module
from clearhouse.log.kafka.appender import KafkaAppender
from clearhouse.log.kafka.connection import Connection
from clearhouse.log.log import LogError, Message
from clearhouse.log.places import LogPlace

LOOK_SECONDS = 0.05
GIVE_UP_SECONDS = 10
TURNS = 5
"""Of the loop, in which what is ready is done, and which take no time."""


class Delivery:
    def __init__(self, offset):
        self._offset = offset

    def partition(self):
        return 0

    def offset(self):
        return self._offset


class Client:
    """Keeps what it is handed, and tells at the next poll that it is there, if it `delivers`."""

    def __init__(self, refused=()):
        self.handed = []
        self.delivers = True
        self._refused = refused
        self._under_way = deque()
        self._offset = 0

    def produce_batch(self, topic, batch):
        self.handed.append([topic, *(each["value"] for each in batch)])
        taken = 0
        for each in batch:
            if each["value"] in self._refused:
                each["_error"] = KafkaError(KafkaError._QUEUE_FULL)
            else:
                self._under_way.append(each["callback"])
                taken += 1
        return taken

    def produce(self, topic, value, key, headers=(), on_delivery=None):
        self.handed.append([topic, value, *headers])
        self._under_way.append(on_delivery)

    def poll(self, _seconds):
        delivered = len(self._under_way) if self.delivers else 0
        for _ in range(delivered):
            self._under_way.popleft()(None, Delivery(self._offset))
            self._offset += 1
        return delivered


@pytest.fixture
def run(monkeypatch):
    """Run a test's coroutine, which gets an appender to a client and that client."""

    def run_it(act, client=None):
        client = client or Client()
        monkeypatch.setattr(module, "_POLL_SECONDS", LOOK_SECONDS)
        monkeypatch.setattr(module, "Producer", lambda _settings: client)

        async def running():
            connection = Connection(LogPlace("kafka://127.0.0.1:1/test"))
            appender = KafkaAppender(connection, {"a": "test.a", "b": "test.b"})
            await act(appender, client)
            await appender.close()

        asyncio.run(asyncio.wait_for(running(), GIVE_UP_SECONDS))

    return run_it


def started(appender, *calls):
    """Tasks, each of which appends messages to topic a by their texts."""
    return [asyncio.create_task(appender.append([message(text)])) for text in calls]


def message(text, topic="a", headers=()):
    return Message(topic, "k", text.encode(), headers)


async def turns():
    for _ in range(TURNS):
        await asyncio.sleep(0)


def test_what_comes_while_nothing_is_under_way_is_handed_over_in_the_same_turn(run):
    async def act(appender, client):
        tasks = started(appender, *"123")
        await turns()
        assert client.handed == [["test.a", b"1", b"2", b"3"]]
        assert [await each for each in tasks] == [[0], [1], [2]]

    run(act)


def test_half_of_those_who_were_answered_is_waited_for(run):
    async def act(appender, client):
        await asyncio.gather(*started(appender, *"123"))
        first = started(appender, "4")
        await turns()
        assert len(client.handed) == 1
        second = started(appender, "5")
        await turns()
        assert client.handed[1:] == [["test.a", b"4", b"5"]]
        await asyncio.gather(*first, *second)

    run(act)


def test_those_who_do_not_come_back_are_not_waited_for_longer_than_a_look(run):
    async def act(appender, client):
        await asyncio.gather(*started(appender, *"123"))
        await asyncio.wait_for(asyncio.gather(*started(appender, "4")), 10 * LOOK_SECONDS)
        assert client.handed[1:] == [["test.a", b"4"]]

    run(act)


def test_as_much_as_is_under_way_is_handed_over_and_less_is_gathered(run):
    async def act(appender, client):
        client.delivers = False
        tasks = started(appender, "1")
        await turns()
        tasks += started(appender, *"23")
        await turns()
        tasks += started(appender, *"45")
        await turns()
        assert client.handed == [["test.a", b"1"], ["test.a", b"2", b"3"]]
        client.delivers = True
        assert await asyncio.gather(*tasks) == [[0], [1], [2], [3], [4]]
        assert client.handed[2:] == [["test.a", b"4", b"5"]]

    run(act)


def test_a_group_is_a_batch_of_each_topic(run):
    async def act(appender, client):
        await appender.append([message("1"), message("2", "b"), message("3")])
        assert client.handed == [["test.a", b"1", b"3"], ["test.b", b"2"]]

    run(act)


def test_headers_are_kept_and_so_is_the_order_of_a_group_that_has_some(run):
    traced = [("traceparent", "00-1")]

    async def act(appender, client):
        await appender.append([message("1"), message("2", headers=traced), message("3")])
        assert client.handed == [
            ["test.a", b"1"],
            ["test.a", b"2", *traced],
            ["test.a", b"3"],
        ]

    run(act)


def test_what_a_client_does_not_take_fails_and_the_rest_of_its_batch_does_not(run):
    async def act(appender, client):
        first, second, third = started(appender, *"123")
        assert [await first, await third] == [[0], [1]]
        with pytest.raises(LogError):
            await second
        assert await asyncio.gather(*started(appender, "4")) == [[2]]

    run(act, Client(refused=[b"2"]))
