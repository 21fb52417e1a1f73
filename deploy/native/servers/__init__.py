"""The servers of the stack, in the order in which they start: one comes after those it needs."""

from deploy.native.place import StackError
from deploy.native.server import Server
from deploy.native.servers.alertmanager import Alertmanager
from deploy.native.servers.kafka import Kafka
from deploy.native.servers.postgres import Postgres
from deploy.native.servers.prometheus import Prometheus
from deploy.native.servers.redis import Redis
from deploy.native.servers.s3 import S3
from deploy.native.servers.temporal import Temporal

SERVERS: tuple[Server, ...] = (
    Postgres(),
    S3(),
    Redis(),
    Kafka(),
    Temporal(),
    Alertmanager(),
    Prometheus(),
)


def chosen(text: str) -> tuple[Server, ...]:
    """The servers with these names, separated by commas, and those they need; for "" all.

    Raises:
        StackError: there is no server of a name.
    """
    names = {name.strip() for name in text.split(",") if name.strip()}
    known = [server.name for server in SERVERS]
    if unknown := sorted(names - set(known)):
        raise StackError(
            f"STACK_SERVERS: there is no server {', '.join(unknown)}; there are {', '.join(known)}."
        )
    for server in reversed(SERVERS):  # one starts after those it needs
        if server.name in names:
            names.update(server.needs)
    return tuple(server for server in SERVERS if not names or server.name in names)
