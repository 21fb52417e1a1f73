"""The servers of the stack, in the order in which they start: one comes after those it needs."""

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
