"""PostgreSQL, 14 or newer: the machine's, or else Debian's package.

It has the superuser `postgres` and the role `clearhouse`, which owns the database of that name.
Other roles are the domains' affair.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.native.fetch import Installed, run
from deploy.native.place import Place, StackError
from deploy.native.server import Launch

OLDEST = 14
_ELSEWHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")  # Debian, Red Hat: not on the PATH
_NEEDED = ("postgres", "initdb", "psql")

# For a laptop with other work to do. What is committed survives a power cut: fsync stays on.
_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",  # bulk loads would else checkpoint every few seconds
    "checkpoint_timeout": "15min",
    "max_connections": "100",  # Temporal keeps up to 40 of them
    "random_page_cost": "1.1",  # an SSD
    "jit": "off",  # compiling costs more than it saves on queries of this size
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",  # TCP with a password is the only way in
    "listen_addresses": "127.0.0.1",
}


class Postgres:
    """The server, and how users of the stack reach it."""

    name = "postgres"
    needs: tuple[str, ...] = ()
    default_port = 15432
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    def install(self) -> Installed:
        """The newest PostgreSQL on the machine; for root, apt-get's where there is none."""
        found = _newest()
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _install_by_apt()
            found = _newest()
        if found is None:
            raise StackError(
                f"PostgreSQL is missing: install version {OLDEST} or newer "
                "(Debian and Ubuntu: sudo apt-get install postgresql)."
            )
        return found

    def prepare(self, place: Place) -> None:
        """A cluster with checksums, in which every role needs its password (SCRAM)."""
        password, owner = place.secret("superuser"), place.secret("clearhouse")
        create = (
            f"CREATE ROLE clearhouse LOGIN PASSWORD '{owner}';\n"
            "CREATE DATABASE clearhouse OWNER clearhouse;\n"
            # As which the engine asks what readers see: its owner must be a member.
            "CREATE ROLE clearhouse_reader NOLOGIN;\n"
            "GRANT clearhouse_reader TO clearhouse;\n"
            # For logins that may not own the stores: the owner grants them rights in its tables.
            "CREATE ROLE clearhouse_worker NOLOGIN;\n"
            "CREATE ROLE clearhouse_batch NOLOGIN;\n"
        )

        def fill(data: Path) -> None:
            initdb = [str(place.programs / "initdb"), "--pgdata", str(data), "--username=postgres"]
            initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"]
            _ask(place, [*initdb, f"--pwfile={place.secret_file('superuser')}"])
            # One process without a port: nobody can connect before the roles are there.
            single = [str(place.programs / "postgres"), "--single", "-D", str(data), "postgres"]
            output = _ask(place, single, create)
            if "ERROR" in output:
                reason = output.replace(owner, "***").replace(password, "***").strip()
                raise StackError(f"The database could not be made: {reason}")

        place.make_data(fill)

    def launch(self, place: Place) -> Launch:
        """The postmaster, with its settings as arguments: new settings need no new data."""
        options = [text for name, value in _SETTINGS.items() for text in ("-c", f"{name}={value}")]
        command = [str(place.programs / "postgres"), "-D", str(place.data), "-p", str(place.port)]
        return Launch([*command, *options])

    def ailment(self, place: Place) -> str | None:
        """Whether the role `clearhouse` can ask its database a question."""
        done = subprocess.run(
            [str(place.programs / "psql"), "-XAtqc", "SELECT 1", _url(place)],
            env={"PGPASSWORD": place.secret("clearhouse"), "PGCONNECT_TIMEOUT": "5"},
            capture_output=True,
            text=True,
            check=False,
        )
        return (
            None if done.returncode == 0 else (done.stderr.strip() or "no answer").splitlines()[-1]
        )

    def settings(self, place: Place) -> dict[str, str]:
        """The owner's URL as store and as engine; the superuser's, for roles and extensions."""
        owner = _url(place, "clearhouse", place.secret("clearhouse"))
        return {
            "DATABASE_URL": owner,
            "ENGINE_URL": owner,
            "POSTGRES_ADMIN_URL": _url(place, "postgres", place.secret("superuser")),
        }

    def secrets(self, place: Place) -> list[str]:
        """Both passwords."""
        return [place.secret("clearhouse"), place.secret("superuser")]


def administer(place: Place, statements: str, secret: str = "") -> str:
    """Run statements as the superuser; what they select, one row a line.

    Args:
        place: of a PostgreSQL that serves.
        statements: SQL, and psql's own commands, each transaction by itself.
        secret: what in them must not be in an error.

    Raises:
        StackError: one of them failed; those after it were not run.
    """
    done = subprocess.run(
        [
            str(place.programs / "psql"),
            "-XAtq",
            "--set=ON_ERROR_STOP=1",
            _url(place, "postgres", database="postgres"),
        ],
        input=statements,
        env={"PGPASSWORD": place.secret("superuser")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip()
        raise StackError(f"psql failed: {reason.replace(secret, '***') if secret else reason}")
    return done.stdout.strip()


def _url(
    place: Place, role: str = "clearhouse", password: str = "", database: str = "clearhouse"
) -> str:
    login = f"{role}:{password}" if password else role
    return f"postgresql://{login}@127.0.0.1:{place.port}/{database}"


def _ask(place: Place, command: list[str], text: str = "") -> str:
    """Run one of its programs as the server's user; all that it said.

    Raises:
        StackError: it failed.
    """
    done = subprocess.run(
        command,
        input=text,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **place.identity,
    )
    if done.returncode != 0:
        raise StackError(f"{Path(command[0]).name} failed: {done.stdout.strip()}")
    return done.stdout


def _newest() -> Installed | None:
    """The newest PostgreSQL of the machine that is new enough and whole."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _ELSEWHERE:
        folders += Path("/").glob(pattern.removeprefix("/"))
    found = {
        _version(folder): folder
        for folder in folders
        if all((folder / name).exists() for name in _NEEDED)
    }
    usable = [version for version in found if version >= (OLDEST,)]
    if not usable:
        return None
    return Installed(found[max(usable)], ".".join(str(part) for part in max(usable)))


def _version(folder: Path) -> tuple[int, ...]:
    command = [str(folder / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    numbers = re.search(r"(\d+)(?:\.(\d+))?", said)
    return tuple(int(part) for part in numbers.groups() if part) if numbers else (0,)


def _install_by_apt() -> None:
    """Debian's package, without the server that it would start by itself on port 5432."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    keep_out = Path("/etc/postgresql-common/createcluster.d/clearhouse.conf")
    keep_out.parent.mkdir(parents=True, exist_ok=True)
    keep_out.write_text("create_main_cluster = false\n")
    try:
        run("PostgreSQL: asking for Debian's packages", ["apt-get", "update"], quiet)
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"]
        run("PostgreSQL: installing Debian's package", install, quiet)
    finally:
        keep_out.unlink()
