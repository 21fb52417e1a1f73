"""Certificates: a closed day's totals, sealed and chained to the day before.

Canonical JSON without run ids and times, so that two undisturbed runs seal the same; SHA-256 over
it. A person can recompute every figure with other tools, by commands that go with it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.core.books.ledger import metadata
from clearhouse.core.books.model import Entry, canonical
from clearhouse.core.errors import ClearhouseError

certificate_table = sa.Table(
    "books_certificate",
    metadata,
    sa.Column("domain", sa.String(40), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("seal", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


class CertificateError(ClearhouseError):
    """A day that can't be closed, or whose certificate does not hold."""

    code = "not_closable"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A sealed day: `body` is canonical JSON, `seal` the SHA-256 hex of its bytes."""

    domain: str
    book_date: dt.date
    body: str
    seal: str

    @property
    def content(self) -> dict[str, Any]:
        """The body as data."""
        return dict(json.loads(self.body))


def seal(
    domain: str, book_date: dt.date, entries: Sequence[Entry], previous: str | None
) -> Certificate:
    """The certificate of a day from its entries in order of hop.

    Args:
        domain: whose day.
        book_date: the day.
        entries: the current entry of each certified hop.
        previous: the seal of the day before, or None for the first day.
    """
    body = json.dumps(
        {
            "book_date": str(book_date),
            "domain": domain,
            "hops": [
                {"entry_id": e.entry_id, "hop": e.key.hop, "totals": canonical(e.totals)}
                for e in entries
            ],
            "previous": previous,
            "version": 1,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return Certificate(domain, book_date, body, hashlib.sha256(body.encode()).hexdigest())


class Certificates:
    """The chain of certificates, kept beside the books."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        metadata.create_all(engine)

    def get(self, domain: str, book_date: dt.date) -> Certificate | None:
        """The certificate of a day, if it is closed."""
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(certificate_table).where(
                    (certificate_table.c.domain == domain)
                    & (certificate_table.c.book_date == book_date)
                )
            ).first()
        return Certificate(domain, book_date, row.body, row.seal) if row else None

    def first_day(self, domain: str) -> dt.date | None:
        """The first closed day of a domain."""
        with self.engine.connect() as connection:
            day: dt.date | None = connection.scalar(
                sa.select(sa.func.min(certificate_table.c.book_date)).where(
                    certificate_table.c.domain == domain
                )
            )
        return day

    def add(self, certificate: Certificate) -> None:
        """Keep a certificate. A day is sealed once.

        Raises:
            CertificateError: the day is closed with another seal.
        """
        known = self.get(certificate.domain, certificate.book_date)
        if known is not None and known.seal != certificate.seal:
            raise CertificateError(
                f"{certificate.domain} {certificate.book_date} is closed already, and its totals "
                "have changed since: run `clearhouse books` to see where.",
                "already_closed",
            )
        if known is None:
            with self.engine.begin() as connection:
                connection.execute(
                    sa.insert(certificate_table).values(
                        domain=certificate.domain,
                        book_date=certificate.book_date,
                        seal=certificate.seal,
                        body=certificate.body,
                    )
                )

    def verify_chain(self, domain: str) -> list[str]:
        """Every break in a domain's chain, in words; empty where it holds."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(certificate_table)
                .where(certificate_table.c.domain == domain)
                .order_by(certificate_table.c.book_date)
            ).all()
        broken: list[str] = []
        previous: str | None = None
        for row in rows:
            if hashlib.sha256(row.body.encode()).hexdigest() != row.seal:
                broken.append(f"{row.book_date}: the certificate's text does not match its seal")
            elif json.loads(row.body)["previous"] != previous:
                broken.append(f"{row.book_date}: not chained to the day before")
            previous = row.seal
        return broken
