"""Payments on real servers: what follows from the measurements, and the load that is sent."""

import asyncio
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from benchmarks.jobs import BenchmarkError
from benchmarks.parts.served import Server
from benchmarks.parts.webhook_load import CPU, MEDIAN, WORST, send
from benchmarks.parts.workflows_temporal import HISTORY, RECORDED, TRANSITIONS
from benchmarks.rounds import Case, Measured
from benchmarks.stack_summary import WORKFLOWS, promises, rows, workflows_table


def measured(part: str, seconds: float, **phases: float) -> Measured:
    return Measured(
        case=Case(part, 1),
        seconds=seconds,
        cpu_seconds=0.0,
        child_cpu_seconds=0.0,
        peak_rss_bytes=0,
        ready_seconds=0.0,
        records=1_000,
        payload_bytes=0,
        phases=phases,
        content={},
        calibration_seconds=(0.1, 0.1),
    )


def gateway(part: str, seconds: float, cpu: float, worst: float) -> Measured:
    return measured(part, seconds, **{MEDIAN: worst / 2, WORST: worst, CPU: cpu})


def test_the_gateway_is_held_beside_its_peer_at_as_many_connections() -> None:
    found = promises(
        [
            gateway("kafka_gateway_16", 1.0, 0.0002, 0.010),
            gateway("kafka_gateway_16", 1.2, 0.0002, 0.012),
            gateway("kafka_gateway_16", 9.0, 0.0002, 0.090),  # a slow round, beside the median
            gateway("kafka_peer_16", 2.4, 0.0005, 0.012),
            gateway("kafka_gateway_64", 1.0, 0.0002, 0.010),  # and nothing to compare it with
        ]
    )

    assert {each.name: (round(each.value, 2), each.is_kept) for each in found} == {
        "gateway, 16 connections: throughput, in times of the peer's": (2.0, True),
        "gateway, 16 connections: CPU a request, in times of the peer's": (0.4, True),
        "gateway, 16 connections: p99, in times of the peer's": (1.0, True),
    }


def test_normalizers_are_held_against_their_bound_and_two_against_one() -> None:
    one = measured("kafka_normalize", 0.1, **{CPU: 0.00004})
    two = measured("kafka_normalize_twice", 0.08, **{CPU: 0.00004})

    found = {each.name: (round(each.value, 2), each.is_kept) for each in promises([one, two])}

    assert found == {
        "one normalizer, exactly once, webhooks/s": (10_000.0, False),
        "twice the partitions and normalizers, in times of one": (1.25, True),
    }
    assert [row.median_seconds for row in rows([one])] == [None]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "503"),
        (b"", "ended a connection"),
    ],
)
def test_a_load_that_is_not_taken_gives_no_figures(answer: bytes, said: str) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def run() -> list[float]:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await send(Server("127.0.0.1", port, 0), [b"one", b"two"], 2)

    with pytest.raises(BenchmarkError, match=said):
        asyncio.run(run())


def test_each_answer_of_a_load_is_timed_also_one_that_comes_in_parts() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await reader.readexactly(3)
            for part in (b"HTTP/1.1 200 OK\r\ncontent", b"-length: 2\r\n\r\n", b"o", b"k"):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async def run() -> list[float]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await send(Server("127.0.0.1", port, 0), [b"one", b"two", b"six", b"ten"], 2)

    assert len(asyncio.run(run())) == 4


def test_workflows_are_shown_with_what_each_event_cost_the_server() -> None:
    costs = {TRANSITIONS: "3.00", HISTORY: "9.40"}
    run = replace(measured(WORKFLOWS, 40.0, **{CPU: 0.004, RECORDED: 38.0}), content=costs)

    (row,) = rows([run])
    console = Console(width=120, record=True, file=StringIO())
    console.print(workflows_table([run, measured("kafka_normalize", 0.1)]))

    assert (row.rate, row.cpu_seconds) == (25.0, 0.004)
    shown = console.export_text().strip().splitlines()[-1].split("|")
    assert [cell.strip() for cell in shown[1:-1]] == ["1,000", "38.0", "40.0", "3.00", "9.40"]
