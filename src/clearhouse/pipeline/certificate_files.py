"""Certificates as files beside the books: a copy that a person can keep elsewhere."""

from pathlib import Path

from clearhouse.books.certificate import Certificate, CertificateError
from clearhouse.pipeline.context import Run


def certificate_file(run: Run, certificate: Certificate) -> Path:
    """Where the certificate of a closed day is."""
    return _folder(run) / f"{certificate.book_date}.json"


def write_certificates(run: Run) -> None:
    """Bring the files to what the books say: each closed day has one, and no other day.

    A file is never overwritten. One of a reopened day goes to the folder `reopened`.

    Raises:
        CertificateError: a file holds another text than the books.
    """
    folder = _folder(run)
    closed = run.certificates.closed(run.name)
    for path in folder.glob("*.json") if folder.exists() else ():
        if path.stem not in map(str, closed):
            aside = folder / "reopened"
            aside.mkdir(exist_ok=True)
            path.rename(aside / f"{path.stem}-{_seal_of(run, path)[:12]}.json")
    for certificate in closed.values():
        path = certificate_file(run, certificate)
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(certificate.body, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != certificate.body:
            raise CertificateError(
                f"{path} is not the certificate that the books hold: one of the two was edited. "
                "Compare them with a copy before you go on.",
                "certificate_edited",
            )


def differing_files(run: Run) -> list[str]:
    """Files of closed days that are missing, or not what the books hold, in a sentence each."""
    found = []
    for day, certificate in run.certificates.closed(run.name).items():
        path = certificate_file(run, certificate)
        if not path.exists():
            again = f"`clearhouse close {run.name} --date {day}` writes it again"
            found.append(f"the certificate {path} is missing: {again}")
        elif path.read_bytes() != certificate.body.encode():
            found.append(
                f"{path} is not the certificate that the books hold: one of them was edited"
            )
    return found


def _folder(run: Run) -> Path:
    return run.settings.clearhouse_home / "certificates" / run.name


def _seal_of(run: Run, path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return next(
        (c.seal for c, _ in run.certificates.reopened(run.name) if c.body == text), "edited"
    )
