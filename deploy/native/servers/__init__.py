"""The servers of the stack, in the order in which they start."""

from deploy.native.server import Server
from deploy.native.servers.postgres import Postgres
from deploy.native.servers.prometheus import Prometheus
from deploy.native.servers.redis import Redis
from deploy.native.servers.s3 import S3

SERVERS: tuple[Server, ...] = (Postgres(), S3(), Redis(), Prometheus())
