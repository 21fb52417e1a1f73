"""The servers of the stack, in the order in which they start."""

from deploy.native.server import Server
from deploy.native.servers.postgres import Postgres
from deploy.native.servers.s3 import S3

SERVERS: tuple[Server, ...] = (Postgres(), S3())
