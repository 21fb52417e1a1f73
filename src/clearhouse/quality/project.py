"""The Great Expectations project: opened on a working copy, offline, and closed again.

The files in git are the source of the rules. The library may write beside the files that it
reads, and an installed package may lie in a folder that can't be written: so it never sees the
originals, only a copy named by the content's hash.
"""

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clearhouse.core.environment import take_no_foreign_settings
from clearhouse.quality import savings
from clearhouse.quality.verdicts import QualityError

_CONFIG_FILE = "great_expectations.yml"
_RUNTIME_FOLDER = "uncommitted"

# The library looks its context up in one global of the process: one at a time.
_ONE_CONTEXT = threading.Lock()


def preload() -> None:
    """Import Great Expectations, which takes seconds: call it in a thread while others wait."""
    take_no_foreign_settings()
    savings.apply()


@contextmanager
def opened(project_dir: Path, work_dir: Path) -> Iterator[Any]:
    """A data context on a working copy of a project.

    A new one for every run (some 50 ms): the library keeps the last frame and every result alive
    for as long as its context, and the last context for as long as the process.

    Args:
        project_dir: the folder of the committed files; only read.
        work_dir: where working copies lie.

    Raises:
        QualityError: `project_dir` holds no readable project.
    """
    copy = working_copy(project_dir, work_dir)
    preload()
    import great_expectations as gx
    from great_expectations.data_context import set_context
    from great_expectations.exceptions import GreatExpectationsError

    with _ONE_CONTEXT:
        try:
            context = gx.get_context(mode="file", context_root_dir=copy)
        except (GreatExpectationsError, ValueError) as error:
            raise QualityError(f"{project_dir / _CONFIG_FILE} can't be used: {error}") from error
        try:
            yield context
        finally:
            set_context(None)


def working_copy(project_dir: Path, work_dir: Path) -> Path:
    """The folder under `work_dir` that holds this content; made where it isn't there yet.

    Raises:
        QualityError: `project_dir` is not a project.
    """
    files = _files(project_dir)
    if _CONFIG_FILE not in files:
        raise QualityError(f"There is no {_CONFIG_FILE} in {project_dir}: name the folder gx.")
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    target = work_dir / digest.hexdigest()[:16]
    if not target.is_dir():
        _write(files, target)
    return target


def _files(project_dir: Path) -> dict[str, bytes]:
    """The committed files by their relative names, in order."""
    found = {}
    for path in sorted(project_dir.rglob("*")):
        relative = path.relative_to(project_dir)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.is_file() and not hidden and relative.parts[0] != _RUNTIME_FOLDER:
            found[relative.as_posix()] = path.read_bytes()
    return found


def _write(files: dict[str, bytes], target: Path) -> None:
    """All the files under `target`, or none: two processes may begin at the same moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
        staged = Path(folder) / "gx"
        for name, content in files.items():
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            staged.rename(target)
        except OSError:
            if not target.is_dir():
                raise
