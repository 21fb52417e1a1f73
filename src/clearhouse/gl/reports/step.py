"""The domain's last step: the close pack of the newest period that the days touch, as files, and
packs of earlier ones that they change.

Data flow: what readers see, and the books → `reports/gl/<period>/close-pack.pdf` and `.xlsx` in the
home. Grain: one pack a period. Idempotency: a pack is made again when another publication, or
another closing certificate, is in force than when it was made; files are replaced as a whole.
"""

import datetime as dt
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import structlog

from clearhouse.core.columnar import dates
from clearhouse.gl.reports.evidence import DOMAIN
from clearhouse.gl.reports.formats import Format, make_files, missing_libraries, replacing
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.runner import Step, StepReport

NAME = "close-pack"
FORMATS = (Format.PDF, Format.XLSX)
_VERSION = "2"
"""Of what a pack holds: one that was made by another is made again."""
_MADE_FROM = "made-from.json"


def publish_close_pack(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Make the pack of the newest period that has lines recorded on the days.

    Late and back-dated lines change packs that are there, of their period and of those after it:
    these are made again. Days without any lines, and all days where the extra `reports` is not
    installed, are skipped.
    """
    touched = _touched_periods(run, days)
    if touched is None:
        return StepReport(skipped=[*days])
    oldest, newest = touched
    if missing := missing_libraries():
        structlog.get_logger().warning("reports_not_made", missing=missing, period=newest)
        return StepReport(skipped=[*days])
    made_from = _made_from(run)
    folder = run.settings.clearhouse_home / "reports" / DOMAIN
    there = {note.parent.name for note in folder.glob(f"*/{_MADE_FROM}")}
    wanted = sorted({newest, *(period for period in there if oldest <= period <= newest)})
    files = [
        file
        for period in wanted
        if not _is_made(folder / period, made_from)
        for file in _made(run, period, folder / period, made_from)
    ]
    return StepReport(done=[*days], files=files) if files else StepReport(skipped=[*days])


def _made(run: Run, period: str, folder: Path, made_from: list[str]) -> list[Path]:
    """The files of a period's pack, made."""
    files = make_files(run.engine.query_readers, run.certificates.engine, period, FORMATS)
    written = {folder / f"{NAME}.{kind}": content for kind, content in files.items()}
    for path, content in written.items():
        _write(path, content)
    hashes = {str(kind): sha256(content).hexdigest() for kind, content in files.items()}
    note = json.dumps({"made_from": made_from, "sha256": hashes}, indent=2) + "\n"
    _write(folder / _MADE_FROM, note.encode())
    return [*written]


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _touched_periods(run: Run, days: Sequence[dt.date]) -> tuple[str, str] | None:
    """The oldest and the newest period that lines recorded on the days are posted to."""
    if not days:
        return None
    relation = "marts.journal_lines"
    sql = f"""SELECT min(fiscal_period) AS oldest, max(fiscal_period) AS newest FROM {relation}
        WHERE _book_date IN ({dates(run.engine.dialect, days)})"""
    answer = run.engine.query_readers(relation, sql)
    found = answer.to_pylist()[0] if answer is not None else {}
    return (found["oldest"], found["newest"]) if found.get("newest") else None


def _made_from(run: Run) -> list[str]:
    """What a pack depends on: its version, the publication, and the last certificate."""
    seals = [certificate.seal for certificate in run.certificates.closed(run.name).values()]
    chain = sha256("".join(seals).encode()).hexdigest()
    return [_VERSION, str(run.publications.latest(run.name)), chain]


def _is_made(folder: Path, made_from: list[str]) -> bool:
    """Whether the files are there, whole, and made from the same."""
    try:
        note = json.loads((folder / _MADE_FROM).read_text(encoding="utf-8"))
        held = {
            kind: sha256((folder / f"{NAME}.{kind}").read_bytes()).hexdigest()
            for kind in map(str, FORMATS)
        }
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return bool(note == {"made_from": made_from, "sha256": held})


CLOSE_PACK: Step[Run] = Step(
    "publish_close_pack", "the newest period's close pack: PDF and workbook", publish_close_pack
)
