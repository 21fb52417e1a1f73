"""Making a namespace with its search attributes on a Temporal server."""

import asyncio
import datetime as dt
from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from clearhouse.workflows.temporal import TemporalPlace, connect, error_of

_KNOWN_SECONDS = 30.0
_BETWEEN_TRIES_SECONDS = 0.2


async def prepare_namespace(
    place: TemporalPlace, retention: dt.timedelta, keywords: Sequence[str]
) -> list[str]:
    """Make what is missing. A second time, it makes nothing.

    Args:
        place: the server and the namespace.
        retention: of finished workflows; of a namespace that is there it is left as it is.
        keywords: names of search attributes that hold a word.

    Returns:
        What was made, a sentence each.

    Raises:
        WorkflowsError: the server can't be reached, or refuses.
    """
    client = await connect(place)
    try:
        made = await _make_namespace(client, retention)
        missing = await _soon(client, keywords)
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(
                        missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
                    ),
                )
            )
            made.append(f"Its workflows can be searched by {', '.join(missing)} now.")
    except RPCError as error:
        raise error_of(place, error) from None
    return made


async def _make_namespace(client: Client, retention: dt.timedelta) -> list[str]:
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
    else:
        return []
    period = Duration()
    period.FromTimedelta(retention)
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=client.namespace, workflow_execution_retention_period=period
            )
        )
    except RPCError as refusal:
        if refusal.status != RPCStatusCode.ALREADY_EXISTS:  # made beside this
            raise
    return [f"The namespace {client.namespace} was made; finished runs stay {retention.days} days."]


async def _soon(client: Client, keywords: Sequence[str]) -> list[str]:
    """The search attributes that are missing, as soon as the server knows its new namespace."""
    give_up_at = asyncio.get_running_loop().time() + _KNOWN_SECONDS
    while True:
        try:
            found = await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=client.namespace)
            )
        except RPCError as error:
            is_late = asyncio.get_running_loop().time() > give_up_at
            if error.status != RPCStatusCode.NOT_FOUND or is_late:
                raise
            await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
            continue
        return [name for name in keywords if name not in found.custom_attributes]
