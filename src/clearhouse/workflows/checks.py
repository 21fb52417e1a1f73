"""What `clearhouse doctor` asks of workflows."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clearhouse.core.checks import Answer
from clearhouse.core.errors import ServerError, SettingsError

if TYPE_CHECKING:
    from temporalio.service import TLSConfig

_INLINE = "inline://"
_SECONDS = dt.timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class WorkflowsPlace:
    """Where workflows run.

    Attributes:
        url: `inline://`, `temporal://host:port/namespace` or `temporal+tls://…`.
        ca_file, cert_file, key_file: for TLS; None: without.
    """

    url: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


def workflows(place: WorkflowsPlace) -> Answer:
    """Whether the server answers and has the namespace.

    Raises:
        ServerError: it does not (workflows_failed), or has none (workflows_not_prepared).
        SettingsError: its client is not installed (driver_missing), or a file can't be read.
    """
    if place.url == _INLINE:
        return Answer("They run in the worker's own process.")
    if find_spec("temporalio") is None:
        raise SettingsError(
            "WORKFLOWS_URL names Temporal: install Clearhouse with the extra `temporal`.",
            "driver_missing",
        )
    return asyncio.run(_asked(place))


async def _asked(place: WorkflowsPlace) -> Answer:
    from temporalio.api.workflowservice.v1 import (
        DescribeNamespaceRequest,
        DescribeNamespaceResponse,
        GetSystemInfoRequest,
    )
    from temporalio.client import Client
    from temporalio.service import RPCError, RPCStatusCode

    parts = urlsplit(place.url)
    namespace = parts.path.strip("/")
    try:
        client = await Client.connect(
            parts.netloc, namespace=namespace, tls=_tls(place), connect_timeout=_SECONDS
        )
        info = await client.workflow_service.get_system_info(
            GetSystemInfoRequest(), timeout=_SECONDS
        )
        found: DescribeNamespaceResponse = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=namespace), timeout=_SECONDS
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ServerError(
                f"Temporal at {parts.netloc} has no namespace {namespace}: run `clearhouse "
                "payments prepare`.",
                "workflows_not_prepared",
            ) from None
        raise _failed(parts.netloc, error.status.name) from None
    except RuntimeError:  # of the client, which could not connect
        raise _failed(parts.netloc, "no connection") from None
    days = found.config.workflow_execution_retention_ttl.ToTimedelta().days
    return Answer(
        f"Temporal has the namespace {namespace}, and keeps what is done for {days} days.",
        f"Temporal {info.server_version}",
    )


def _failed(address: str, why: str) -> ServerError:
    return ServerError(
        f"Temporal at {address} does not answer as it should ({why}): see that it runs, and "
        "that WORKFLOWS_URL and the TEMPORAL_… files are right.",
        "workflows_failed",
    )


def _tls(place: WorkflowsPlace) -> "TLSConfig | bool":
    from temporalio.service import TLSConfig

    if not place.url.startswith("temporal+tls:"):
        return False
    try:
        ca, cert, key = (
            None if file is None else file.read_bytes()
            for file in (place.ca_file, place.cert_file, place.key_file)
        )
    except OSError as error:
        raise SettingsError(
            f"A file for TLS with Temporal can't be read ({error.strerror}): correct "
            f"{error.filename}."
        ) from None
    return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key)
