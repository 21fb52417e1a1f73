"""Temporal: durable workflows. One process has all of its services; PostgreSQL holds their state.

The namespace of Clearhouse's workflows is made by its own command, not here.
"""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from deploy.native.fetch import Installed, go_programs
from deploy.native.health import answers
from deploy.native.place import Place, StackError, write_private
from deploy.native.server import Launch
from deploy.native.servers.postgres import administer

VERSION = "v1.29.1"
_SERVER = "go.temporal.io/server/cmd/server"
_SQL_TOOL = "go.temporal.io/server/cmd/tools/sql"
_ROLE = "temporal"
_DATABASES = {"temporal": "temporal", "temporal_visibility": "visibility"}
"""Databases, and the name by which the tool knows the schema of each."""
_COMPLETE = "Its schema is complete."

_SERVICES = ("frontend", "history", "matching", "worker")
_PLUGIN = "postgres12"
# Connections of each service. All of them together stay below PostgreSQL's max_connections.
_STATE_CONNECTIONS, _VISIBILITY_CONNECTIONS = 8, 2
_SHARDS = 4  # fixed once there is data
_DYNAMIC = {"system.namespaceCacheRefreshInterval": "1s"}  # a new namespace can be used after it
# What the server keeps running by itself: the first page is of history, the second of matching.
_HEALTH = (
    "/api/v1/namespaces/temporal-system/workflows/temporal-sys-history-scanner",
    "/api/v1/namespaces/temporal-system/task-queues/default-worker-tq",
)


class Temporal:
    """The server, and how users of the stack reach it."""

    name = "temporal"
    needs: tuple[str, ...] = ("postgres",)
    default_port = 17233
    stop_signal = signal.SIGTERM  # hands over its shards, ends what runs

    def install(self) -> Installed:
        """The server and the tool that makes its schema, built from the Go module proxy."""
        return go_programs("temporal", VERSION, _SERVER, _SQL_TOOL)

    def prepare(self, place: Place) -> None:
        """Its databases, and its settings; these hold its password."""
        _make_databases(place)
        dynamic = {name: [{"value": value}] for name, value in _DYNAMIC.items()}
        write_private(_dynamic_file(place), json.dumps(dynamic), place.identity)  # also YAML
        write_private(_settings_file(place), json.dumps(_settings(place)), place.identity)

    def launch(self, place: Place) -> Launch:
        """It asks nobody for a password: it listens on loopback."""
        where = ["--root", "/", "--config", str(place.folder), "--env", _settings_file(place).stem]
        return Launch([str(place.own_programs() / "server"), *where, "--allow-no-auth", "start"])

    def ailment(self, place: Place) -> str | None:
        """Whether its services answer, each with what it has in the database."""
        settings = json.loads(_settings_file(place).read_text(encoding="utf-8"))
        port = settings["services"]["frontend"]["rpc"]["httpPort"]
        return next((reason for path in _HEALTH if (reason := answers(port, path))), None)

    def settings(self, place: Place) -> dict[str, str]:
        """Where workflows run, and in which namespace."""
        return {"WORKFLOWS_URL": f"temporal://127.0.0.1:{place.port}/clearhouse"}

    def secrets(self, place: Place) -> list[str]:
        """None: the password of its databases is not in the settings that users export."""
        del place
        return []


def metrics_address(place: Place) -> str:
    """Where the server tells Prometheus of itself, as HOST:PORT, once it has been prepared."""
    settings = json.loads(_settings_file(place).read_text(encoding="utf-8"))
    return str(settings["global"]["metrics"]["prometheus"]["listenAddress"])


def _settings_file(place: Place) -> Path:
    return place.folder / "server.yaml"


def _dynamic_file(place: Place) -> Path:
    return place.folder / "dynamic.yaml"


def _settings(place: Place) -> dict[str, Any]:
    """As its documentation describes them, for one node on loopback."""
    # Kept from start to start: a server that was killed is still listed in the database as a member
    # of the cluster, and one with other ports would wait for it most of a minute. They are below
    # 32768, as the column for a member's port is a signed number of 16 bits.
    http, metrics, *ports = place.own_ports(2 + 2 * len(_SERVICES))
    services = {
        name: {"rpc": {"grpcPort": port, "membershipPort": member, "bindOnIP": "127.0.0.1"}}
        for name, port, member in zip(_SERVICES, ports[::2], ports[1::2], strict=True)
    }
    services["frontend"]["rpc"] |= {"grpcPort": place.port, "httpPort": http}
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "state",
            "visibilityStore": "visibility",
            "numHistoryShards": _SHARDS,
            "datastores": {
                "state": _datastore(place, "temporal", _STATE_CONNECTIONS),
                "visibility": _datastore(place, "temporal_visibility", _VISIBILITY_CONNECTIONS),
            },
        },
        "global": {
            "membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"},
            "metrics": {"prometheus": {"listenAddress": f"127.0.0.1:{metrics}"}},
        },
        "services": services,
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {
                "active": {
                    "enabled": True,
                    "initialFailoverVersion": 1,
                    "rpcName": "frontend",
                    "rpcAddress": f"127.0.0.1:{place.port}",
                }
            },
        },
        "dynamicConfigClient": {"filepath": str(_dynamic_file(place)), "pollInterval": "60s"},
    }


def _datastore(place: Place, database: str, connections: int) -> dict[str, Any]:
    return {
        "sql": {
            "pluginName": _PLUGIN,
            "databaseName": database,
            "connectAddr": f"127.0.0.1:{place.peers['postgres'].port}",
            "connectProtocol": "tcp",
            "user": _ROLE,
            "password": place.secret("password"),
            "maxConns": connections,
            "maxIdleConns": connections,
            "maxConnLifetime": "1h",
        }
    }


def _make_databases(place: Place) -> None:
    """Each database with its schema. One without the comment was cut short, and is made again."""
    postgres, password = place.peers["postgres"], place.secret("password")
    role = (
        f"SELECT 'CREATE ROLE {_ROLE} LOGIN' WHERE to_regrole('{_ROLE}') IS NULL\n\\gexec\n"
        f"ALTER ROLE {_ROLE} PASSWORD '{password}';\n"
    )
    administer(postgres, role, password)
    commented = f"shobj_description(oid, 'pg_database') = '{_COMPLETE}'"
    complete = administer(postgres, f"SELECT datname FROM pg_database WHERE {commented};")
    for database, schema in _DATABASES.items():
        if database in complete.splitlines():
            continue
        administer(postgres, f"DROP DATABASE IF EXISTS {database};")
        administer(postgres, f"CREATE DATABASE {database} OWNER {_ROLE};")
        _sql_tool(place, database, "setup-schema", "--version", "0.0")
        _sql_tool(place, database, "update-schema", "--schema-name", f"postgresql/v12/{schema}")
        administer(postgres, f"COMMENT ON DATABASE {database} IS '{_COMPLETE}';")


def _sql_tool(place: Place, database: str, *arguments: str) -> None:
    """Run Temporal's tool for SQL databases.

    Raises:
        StackError: it failed.
    """
    done = subprocess.run(
        [str(place.programs / "sql"), *arguments],
        env={
            "SQL_PLUGIN": _PLUGIN,
            "SQL_HOST": "127.0.0.1",
            "SQL_PORT": str(place.peers["postgres"].port),
            "SQL_DATABASE": database,
            "SQL_USER": _ROLE,
            "SQL_PASSWORD": place.secret("password"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-1:]
        raise StackError(f"Temporal's schema could not be made: {''.join(last)}")
