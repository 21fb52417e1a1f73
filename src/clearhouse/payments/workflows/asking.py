"""What `clearhouse doctor` asks the workflow server."""

import asyncio
import datetime as dt
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.service import RPCError

from clearhouse.payments.workflows.messages import PAYMENT_EVENT, TASK_QUEUE
from clearhouse.payments.workflows.place import temporal_place
from clearhouse.settings import Settings
from clearhouse.workflows.temporal import TemporalPlace, enter, error_of

_SECONDS = dt.timedelta(seconds=3)
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
