"""A PostgreSQL server for tests of the engine, and databases in it."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_OWNER = "pipeline"


@dataclass(frozen=True)
class PostgresServer:
    """A server on loopback. It refuses to run as root, and runs as `nobody` then."""

    folder: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """A database's URL, as its owner has it."""
        return f"postgresql://{_OWNER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> str:
        """A new database's URL."""
        with self.connected("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def connected(self, database: str, **options: Any) -> psycopg.Connection[Any]:
        """A connection as the owner."""
        return psycopg.connect(self.url(database), autocommit=True, **options)

    def control(self, *arguments: str) -> None:
        """Start or stop it."""
        _as_nobody("pg_ctl", "-D", self.folder / "data", "-w", *arguments, folder=self.folder)

    def start(self) -> None:
        """Start it."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self.control("-l", str(self.folder / "log"), "-o", options, "start")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="clearhouse-engine-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = PostgresServer(folder, probe.getsockname()[1], secrets.token_hex(12))
    secret = folder / "password"
    secret.write_text(server.password)
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    # A locale whose order of texts is not that of their bytes, where there is one.
    locale = ("--locale", "C.UTF-8", "--encoding", "UTF8", "--auth", "scram-sha-256")
    initdb = ("-D", folder / "data", "-U", _OWNER, "--pwfile", secret, *locale)
    _as_nobody("initdb", *initdb, folder=folder)
    server.start()
    try:
        yield server
    finally:
        server.control("-m", "fast", "stop")
        shutil.rmtree(folder)


def _as_nobody(program: str, *arguments: object, folder: Path) -> None:
    found = next(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), None)
    identity = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(
        [str(found or program), *map(str, arguments)],
        check=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        **identity,  # type: ignore[call-overload]
    )
