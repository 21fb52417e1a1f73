"""Certificates as files beside the books: a copy that a person can keep elsewhere."""

from hashlib import sha256
from pathlib import Path

from clearhouse.books.certificate import Certificate, CertificateError
from clearhouse.core.durable import sync
from clearhouse.pipeline.context import Run


def certificate_file(run: Run, certificate: Certificate) -> Path:
    """Where the certificate of a closed day is."""
    return _folder(run) / f"{certificate.book_date}.json"


def write_certificates(run: Run) -> list[Certificate]:
    """Bring the files to what the books say: each closed day has one, and no other day.

    A file is never overwritten. One of a reopened day goes to the folder `reopened`.

    Returns:
        The reopened certificates whose files were moved.

    Raises:
        CertificateError: a file holds another text than the books, or the books hold a text that
            does not match its seal.
    """
    folder = _folder(run)
    closed = run.certificates.closed(run.name)
    reopened = {c.body.encode(): c for c, _ in run.certificates.reopened(run.name)}
    moved: list[Certificate] = []
    for path in sorted(folder.glob("*.json")):
        if path.stem not in map(str, closed):
            body = path.read_bytes()
            _move(path, _reopened_file(run, path.stem, sha256(body).hexdigest()))
            moved += [reopened[body]] if body in reopened else []
    for certificate in closed.values():
        path = certificate_file(run, certificate)
        if not certificate.is_intact:
            raise _edited(f"The certificate of {certificate.book_date} in the books")
        if not path.exists():
            _write(path, certificate.body.encode())
        elif path.read_bytes() != certificate.body.encode():
            raise _edited(str(path))
    return moved


def _edited(what: str) -> CertificateError:
    return CertificateError(
        f"{what} is not what was sealed, or its counterpart is not: one of the two was edited. "
        "Compare them with a copy before you go on.",
        "certificate_edited",
    )


def _write(path: Path, body: bytes) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(body)
    sync(unfinished)
    unfinished.rename(path)
    sync(path.parent)


def _move(path: Path, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    if place.exists() and place.read_bytes() != path.read_bytes():
        raise _edited(str(place))
    path.rename(place)


def differing_files(run: Run) -> list[str]:
    """Files of certificates that are missing, not what the books hold, or of no closed day, in a
    sentence each.
    """
    closed = run.certificates.closed(run.name)
    kept = {
        certificate_file(run, certificate): (
            certificate,
            f": `clearhouse close {run.name} --date {day}` writes it again",
        )
        for day, certificate in closed.items()
    }
    for each, _ in run.certificates.reopened(run.name):
        kept[_reopened_file(run, str(each.book_date), each.seal)] = each, ""
    found = []
    for path, (certificate, again) in kept.items():
        if not path.is_file():
            found.append(f"the certificate {path} is missing{again}")
        elif path.read_bytes() != certificate.body.encode():
            found.append(
                f"{path} is not the certificate that the books hold: one of them was edited"
            )
    folder = _folder(run)
    others = sorted({*folder.glob("*.json"), *folder.glob("reopened/*")} - kept.keys())
    return found + [f"{path} is no certificate of a closed day" for path in others]


def _reopened_file(run: Run, day: str, seal: str) -> Path:
    """Where the certificate of a reopened day is kept."""
    return _folder(run) / "reopened" / f"{day}-{seal[:12]}.json"


def _folder(run: Run) -> Path:
    return run.settings.clearhouse_home / "certificates" / run.name
