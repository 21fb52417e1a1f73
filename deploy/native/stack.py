"""Start the servers, say how they are, stop them."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.native import process
from deploy.native.fetch import Installed, last_line, say
from deploy.native.place import (
    Home,
    Place,
    StackError,
    make_folder,
    port_is_free,
    unprivileged,
    write_private,
)
from deploy.native.process import Record
from deploy.native.server import Server

_READY_S = 180  # recovery of a killed PostgreSQL included
_STOP_S = 30
_REAPED_S = 10
_CHECK_EVERY_S = 0.1


@dataclass(frozen=True)
class Status:
    """How one server is.

    Args:
        state: running, stopped, ailing (its process runs, but it doesn't serve), or dead (it ended
            without being stopped).
        record: of the process that runs or ran.
        reason: why it doesn't serve.
    """

    name: str
    state: str
    log: Path
    record: Record | None = None
    reason: str = ""


def up(home: Home, servers: tuple[Server, ...]) -> dict[str, str]:
    """Start what doesn't run, and write the settings of all to the env file.

    Returns:
        The settings as they may be shown: without secrets.

    Raises:
        StackError: a server can't be had, or doesn't start. Those that run stay up.
    """
    with ThreadPoolExecutor() as pool:
        installed = list(pool.map(lambda server: server.install(), servers))
    with home.locked():
        identity = unprivileged()
        home.enter(identity)
        settings: dict[str, str] = {}
        shown: dict[str, str] = {}
        places: dict[str, Place] = {}
        for server, programs in zip(servers, installed, strict=True):
            make_folder(home.of(server.name), identity)
            place = _serving(home, server, programs, dict(places))
            places[server.name] = place
            own = server.settings(place)
            settings |= own
            shown |= {name: _masked(value, server.secrets(place)) for name, value in own.items()}
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        write_private(home.env_file, lines, {})
    return shown


def status(home: Home, servers: tuple[Server, ...]) -> Iterator[Status]:
    """How each server is, asked of its process and of itself."""
    for server in servers:
        folder = home.of(server.name)
        record = Record.of(folder)
        if record is None:
            yield Status(server.name, "stopped", folder / "log")
        elif not record.is_alive():
            yield Status(
                server.name, "dead", folder / "log", record, f"process {record.pid} is gone"
            )
        else:
            reason = server.ailment(_place(home, server, record.port, Path(record.programs)))
            state = "ailing" if reason else "running"
            yield Status(server.name, state, folder / "log", record, reason or "")


def down(home: Home, servers: tuple[Server, ...]) -> None:
    """Stop what was started here, last one first. Data stays."""
    if not home.folder.exists():
        return
    with home.locked():
        stopped = []
        for server in reversed(servers):
            folder = home.of(server.name)
            record = Record.of(folder)
            if record is None:
                continue
            say(f"{server.name}: stopping process {record.pid}")
            if not process.stop(record, server.stop_signal, _STOP_S):
                say(f"{server.name}: it did not stop in {_STOP_S} s and was killed")
            _end_orphans(_place(home, server, record.port, Path(record.programs)))
            stopped.append((folder, record))
        for folder, record in stopped:  # init, which may take seconds, reaps all of them at once
            _until_reaped(record)
            Record.drop(folder)


def _serving(home: Home, server: Server, installed: Installed, peers: dict[str, Place]) -> Place:
    """The place of a server that serves: it did already, or was started now."""
    folder = home.of(server.name)
    port = home.port(server.name, server.default_port)
    record = Record.of(folder)
    if record is not None and record.is_alive():
        if record.port != port:
            raise StackError(
                f"{server.name} runs on port {record.port}, not on {port}: stop the stack first."
            )
        place = _place(home, server, port, Path(record.programs))
        reason = _until_it_serves(server, place, record)
        if reason:
            raise StackError(f"{server.name} runs, but doesn't serve ({reason}); see {place.log}.")
        say(f"{server.name} {record.version}: runs already on port {port}, process {record.pid}")
        return place
    place = replace(_place(home, server, port, installed.programs), peers=peers)
    _end_orphans(place)
    if record is not None:
        _until_reaped(record)
    _start(server, place, installed.version)
    return place


def _end_orphans(place: Place) -> None:
    """End what a killed server left at work: PostgreSQL would not start beside it."""
    for pid in process.orphans(place.programs, place.data):
        left = process.record(pid, place.port, "", place.programs)
        process.stop(left, signal.SIGQUIT, _STOP_S)  # what a postmaster itself sends after a crash


def _until_reaped(record: Record) -> None:
    """Wait until its pid is free: PostgreSQL would take it for a server that still runs."""
    deadline = time.monotonic() + _REAPED_S
    while record.leaves_traces() and time.monotonic() < deadline:
        time.sleep(_CHECK_EVERY_S)


def _place(home: Home, server: Server, port: int, programs: Path) -> Place:
    return Place(home.of(server.name), port, programs, unprivileged())


def _start(server: Server, place: Place, version: str) -> None:
    if not port_is_free(place.port):
        raise StackError(
            f"{server.name} can't start: port {place.port} is in use; "
            f"set STACK_{server.name.upper()}_PORT to another one."
        )
    say(f"{server.name} {version}: starting on port {place.port}")
    began = time.monotonic()
    server.prepare(place)
    launch = server.launch(place)
    said_before = place.log.stat().st_size if place.log.exists() else 0
    try:
        child = process.start(launch.command, launch.env, place.programs, place.log, place.identity)
    except OSError as error:
        program = place.programs / launch.command[0]
        raise StackError(f"{server.name} can't start: {program}: {error.strerror}.") from error
    record = process.record(child.pid, place.port, version, place.programs)
    record.keep(place.folder)
    reason = _until_it_serves(server, place, record)
    if reason:
        process.stop(record, server.stop_signal, _STOP_S)
        Record.drop(place.folder)
        said = last_line(place.log, said_before)
        raise StackError(f"{server.name} did not start ({reason}): {said}; its log is {place.log}.")
    taken = time.monotonic() - began
    say(f"{server.name} {version}: serves, process {record.pid}, after {taken:.1f} s")


def _until_it_serves(server: Server, place: Place, record: Record) -> str | None:
    """Wait for a server. None: it serves; else why it doesn't, after a minute or its end."""
    deadline = time.monotonic() + _READY_S
    while (reason := server.ailment(place)) is not None:
        if not record.is_alive():
            return "it ended at once"
        if time.monotonic() > deadline:
            return f"not ready in {_READY_S} s, {reason}"
        time.sleep(_CHECK_EVERY_S)
    # Another server may have taken the port in between, and have answered in its place.
    return None if record.is_alive() else "it ended at once"


def _masked(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
