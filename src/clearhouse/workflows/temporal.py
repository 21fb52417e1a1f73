"""A Temporal server: where it is, and a connection to it. Its errors become a sentence each."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from clearhouse.core import tracing
from clearhouse.core.errors import ClearhouseError, SettingsError

try:
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.client import Client, Interceptor
    from temporalio.service import RPCError, RPCStatusCode, TLSConfig
except ImportError:
    raise SettingsError(
        "WORKFLOWS_URL=temporal://… needs a client that is not installed: install Clearhouse with "
        "the extra `temporal`, as in `pip install 'clearhouse[temporal]'`.",
        "driver_missing",
    ) from None

from clearhouse.workflows.temporal_payloads import CONVERTER

_CONNECT_SECONDS = 10.0
_TLS = "temporal+tls"
_DEFAULT_NAMESPACE = "clearhouse"
_NOT_PREPARED = (
    RPCStatusCode.NOT_FOUND,  # the namespace
    RPCStatusCode.INVALID_ARGUMENT,  # a search attribute
)


class WorkflowsError(ClearhouseError):
    """The workflow server can't be reached, or does not do what it is asked."""

    code = "workflows_failed"


@dataclass(frozen=True, slots=True)
class TemporalPlace:
    """Where a server is, and how it is reached.

    Attributes:
        url: `temporal://host:port/namespace`; `temporal+tls://…` by TLS. Without a namespace:
            `clearhouse`.
        ca_file: of the authority that signs the server's certificate; None: those of the system.
        cert_file, key_file: by which the server knows its clients; None: it asks for none.
    """

    url: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def is_encrypted(self) -> bool:
        """Whether it is reached by TLS."""
        return self.url.startswith(f"{_TLS}://")

    @property
    def namespace(self) -> str:
        """In which the workflows are."""
        return self.url.partition("://")[2].partition("/")[2] or _DEFAULT_NAMESPACE


async def connect(place: TemporalPlace) -> Client:
    """A client of a server.

    Raises:
        SettingsError: a certificate can't be read.
        WorkflowsError: the server can't be reached, or is not trusted (workflows_unreachable,
            workflows_not_trusted).
    """
    tls = _tls(place)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await Client.connect(
                place.address,
                namespace=place.namespace,
                data_converter=CONVERTER,
                tls=tls,
                interceptors=_interceptors(),
            )
    except (RuntimeError, TimeoutError) as error:
        raise _unreachable(place, str(error)) from None


async def enter(place: TemporalPlace) -> Client:
    """A client of a server whose namespace is there.

    Raises:
        SettingsError: a certificate can't be read.
        WorkflowsError: as `connect`, or the namespace is not there (workflows_not_prepared).
    """
    client = await connect(place)
    try:
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=place.namespace)
        )
    except RPCError as error:
        raise error_of(place, error) from None
    return client


def error_of(place: TemporalPlace, error: RPCError) -> WorkflowsError:
    """What a request was refused with, in a sentence."""
    if error.status in _NOT_PREPARED:
        return WorkflowsError(
            f"Temporal at {place.address} does not have the namespace {place.namespace} as it is "
            "needed: run `clearhouse payments prepare`.",
            "workflows_not_prepared",
        )
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return WorkflowsError(
            f"Temporal at {place.address} does not let this client into {place.namespace}: see "
            "TEMPORAL_CERT_FILE and TEMPORAL_KEY_FILE.",
            "workflows_refused",
        )
    if error.status == RPCStatusCode.RESOURCE_EXHAUSTED:
        return WorkflowsError(
            f"Temporal at {place.address} takes no more requests of {place.namespace} now: it is "
            "tried again. Should it go on, raise the server's limits (`frontend.namespaceRPS`, or "
            "the store's connections).",
            "workflows_busy",
        )
    return _unreachable(place, error.message)


async def check(client: Client, place: TemporalPlace) -> None:
    """See that a server answers.

    Raises:
        WorkflowsError: it does not.
    """
    try:
        await client.service_client.check_health(timeout=dt.timedelta(seconds=_CONNECT_SECONDS))
    except RPCError as error:
        raise error_of(place, error) from None


def _interceptors() -> list[Interceptor]:
    """What carries traces into runs and their activities, where traces are on."""
    tracer = tracing.tracer()
    if tracer is None:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor

    return [TracingInterceptor(tracer)]


def _tls(place: TemporalPlace) -> TLSConfig | bool:
    if not place.is_encrypted:
        return False
    return TLSConfig(
        server_root_ca_cert=_read("TEMPORAL_CA_FILE", place.ca_file),
        client_cert=_read("TEMPORAL_CERT_FILE", place.cert_file),
        client_private_key=_read("TEMPORAL_KEY_FILE", place.key_file),
    )


def _read(setting: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"{setting} names a file that can't be read ({error.strerror}): correct it."
        ) from None


def _unreachable(place: TemporalPlace, said: str) -> WorkflowsError:
    if "certificate" in said.lower():
        return WorkflowsError(
            f"Temporal at {place.address} and this client do not trust each other's certificates: "
            "see TEMPORAL_CA_FILE, TEMPORAL_CERT_FILE and TEMPORAL_KEY_FILE.",
            "workflows_not_trusted",
        )
    trust = (
        "it trusts TEMPORAL_CERT_FILE"
        if place.is_encrypted
        else "WORKFLOWS_URL says temporal+tls:// where it speaks TLS"
    )
    return WorkflowsError(
        f"Temporal at {place.address} does not answer: see that it runs, and that {trust}.",
        "workflows_unreachable",
    )
