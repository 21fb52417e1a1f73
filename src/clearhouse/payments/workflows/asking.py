"""What the books and `clearhouse doctor` ask the workflow server."""

import asyncio
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from clearhouse.payments.workflows.messages import PAYMENT_EVENT, TASK_QUEUE, workflow_id
from clearhouse.payments.workflows.place import temporal_place
from clearhouse.settings import Settings
from clearhouse.workflows.temporal import TemporalPlace, enter, error_of

_SECONDS = dt.timedelta(seconds=3)
_REQUESTS = 64
"""To the server at a time."""
UNDER_WAY = f"WorkflowType = '{PAYMENT_EVENT}' AND ExecutionStatus = 'Running'"
"""Finds the runs of events that have not ended."""


@dataclass(frozen=True, slots=True)
class ServerNow:
    """How a server is: the processes that ask it for tasks, and the runs that have not ended."""

    version: str
    workers: int
    runs: int


def server_now(settings: Settings) -> ServerNow:
    """Ask the server that the settings name.

    Raises:
        SettingsError: a certificate can't be read.
        WorkflowsError: it can't be reached, refuses, or is not prepared.
    """
    return asyncio.run(_asked(temporal_place(settings)))


async def _asked(place: TemporalPlace) -> ServerNow:
    client = await enter(place)
    service = client.workflow_service
    queue = DescribeTaskQueueRequest(
        namespace=place.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        info = await service.get_system_info(GetSystemInfoRequest(), timeout=_SECONDS)
        described = await service.describe_task_queue(queue, timeout=_SECONDS)
        runs = await client.count_workflows(UNDER_WAY, rpc_timeout=_SECONDS)
    except RPCError as error:
        raise error_of(place, error) from None
    return ServerNow(
        info.server_version, len({each.identity for each in described.pollers}), runs.count
    )


def running(settings: Settings, event_ids: Collection[str]) -> set[str]:
    """Those of some events whose runs have not ended. It takes a request for each.

    The server's list of runs is a moment behind, so each is asked for by itself.

    Raises:
        SettingsError: a certificate can't be read.
        WorkflowsError: it can't be reached, refuses, or is not prepared.
    """
    return asyncio.run(_running(temporal_place(settings), event_ids))


async def _running(place: TemporalPlace, event_ids: Collection[str]) -> set[str]:
    client = await enter(place)
    room = asyncio.Semaphore(_REQUESTS)

    async def one(event_id: str) -> bool:
        async with room:
            return await _is_running(client, event_id)

    try:
        found = await asyncio.gather(*map(one, event_ids))
    except RPCError as error:
        raise error_of(place, error) from None
    return {event_id for event_id, is_one in zip(event_ids, found, strict=True) if is_one}


async def _is_running(client: Client, event_id: str) -> bool:
    handle = client.get_workflow_handle(workflow_id(event_id))
    try:
        described = await handle.describe(rpc_timeout=_SECONDS)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return described.status is WorkflowExecutionStatus.RUNNING
