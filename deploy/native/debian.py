"""Programs of Debian's packages, unpacked into the cache: nothing is installed on the machine."""

import re
import shutil
import subprocess
from pathlib import Path

from deploy.native.fetch import Installed, cached, run
from deploy.native.place import StackError


def machine_or_debian(
    programs: tuple[str, ...], oldest: tuple[int, ...], pinned: str, packages: tuple[str, ...]
) -> Installed:
    """The machine's own programs where they are new enough, else those of Debian's packages.

    Args:
        programs: executables that are needed; the first one is the server, and says its version.
        oldest: version from which on the machine's own are used.
        pinned: version of the server's package, without Debian's revision: security updates of the
            same version are taken as they come.
        packages: as apt-get names them, with the libraries that the programs need beside them.

    Raises:
        StackError: the machine has none, and the packages can't be had; says what to install.
    """
    server = programs[0]
    found = [shutil.which(program) for program in programs]
    version = _version(found[0]) if found[0] and all(found) else ()
    if found[0] and version >= oldest:
        folder = Path(found[0]).parent  # not resolved: one file may be several programs by its name
        return Installed(folder, ".".join(map(str, version)))
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        at_least = ".".join(map(str, oldest))
        raise StackError(
            f"{server} is missing: install version {at_least} or newer, with {', '.join(programs)}."
        )

    def fill(folder: Path) -> None:
        _unpack(server, packages, folder)
        missing = [program for program in programs if not (folder / program).exists()]
        if missing:
            raise StackError(f"Debian's packages of {server} hold no {', '.join(missing)}.")

    return Installed(cached(f"{server}-{pinned}", fill), pinned)


def _unpack(server: str, packages: tuple[str, ...], into: Path) -> None:
    """Put the executables and libraries of packages beside each other into a folder.

    apt-get works in a folder of its own, so that it needs no root, and lists of the machine that
    are old or were deleted don't matter.
    """
    work = into.with_name(f"{into.name}.apt")
    shutil.rmtree(work, ignore_errors=True)
    try:
        for folder in ("lists/partial", "cache/archives/partial", "packages", "unpacked"):
            (work / folder).mkdir(parents=True)
        apt = ["apt-get", f"-oDir::State::lists={work}/lists", f"-oDir::Cache={work}/cache"]
        apt += [
            "-oAPT::Sandbox::User=root"
        ]  # root's apt-get would else give way to a user of its own
        run(f"{server}: asking for Debian's packages", [*apt, "update"])
        download = ["sh", "-c", 'cd "$0" && exec "$@"', str(work / "packages")]
        run(f"{server}: fetching Debian's packages", [*download, *apt, "download", *packages])
        unpack = ["sh", "-c", 'for each; do dpkg-deb --extract "$each" "$0" || exit 1; done']
        fetched = map(str, (work / "packages").glob("*.deb"))
        run(f"{server}: unpacking them", [*unpack, str(work / "unpacked"), *fetched])
        programs = (work / "unpacked").glob("usr/bin/*")
        libraries = (work / "unpacked").glob("usr/lib/*/*.so.*")
        for file in (*programs, *libraries):
            shutil.copy(file, into / file.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _version(program: str) -> tuple[int, ...]:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    numbers = re.search(r"(?:v=|version )(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(map(int, numbers.groups())) if numbers else ()
