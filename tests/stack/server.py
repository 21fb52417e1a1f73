"""A PostgreSQL server of the tests' own, on a port of the system's choice."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from databases import PostgresDatabases

USER = "keeper"


class Server:
    """The server in a folder. It refuses to run as root, and runs as `nobody` then."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._data = folder, folder / "data"
        self.password = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "password").write_text(self.password)
        secured = ["--username", USER, "--pwfile", folder / "password", "--auth", "scram-sha-256"]
        self._run("initdb", "-D", self._data, *secured, "--locale", "C.UTF-8", "--encoding", "UTF8")

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def databases(self) -> PostgresDatabases:
        return PostgresDatabases(self.url)

    def analyst_of(self, database: str) -> str:
        """The URL of a user who may read a database, and nothing else."""
        url = sa.make_url(self.url).set(database=database)
        self.databases.edit(
            url.render_as_string(hide_password=False),
            f"CREATE ROLE analyst LOGIN PASSWORD '{self.password}'",
            "GRANT pg_read_all_data TO analyst",
        )
        return url.set(username="analyst").render_as_string(hide_password=False)

    def start(self) -> None:
        # No power is cut here: what a killed process wrote is there without fsync.
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self._folder}"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def kill(self) -> None:
        """SIGKILL to the server; its children end by themselves when they notice."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while Path(f"/proc/{pid}").exists():  # it would not start again beside its own remains
            assert time.monotonic() < deadline, f"{pid} is not gone"
            time.sleep(0.05)

    def _run(self, program: str, *arguments: object) -> None:
        found = shutil.which(program) or f"/usr/lib/postgresql/15/bin/{program}"
        identity = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        subprocess.run(
            [found, *map(str, arguments)],
            check=True,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **identity,
        )


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the block lasts."""
    # Not pytest's temporary folder: root's may be entered by nobody else.
    folder = Path(tempfile.mkdtemp(prefix="clearhouse-postgres-"))
    folder.chmod(0o755)
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
