"""Certificates: a closed day's totals, sealed and chained to the closed day before it.

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

from clearhouse.books.decisions import acting_user
from clearhouse.books.ledger import metadata
from clearhouse.books.model import Entry, Side, Totals, canonical
from clearhouse.core.errors import ClearhouseError

certificate_table = sa.Table(
    "books_certificate",
    metadata,
    sa.Column("domain", sa.String(40), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("seal", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


reopening_table = sa.Table(
    "books_reopening",
    metadata,
    sa.Column("seal", sa.String(64), primary_key=True),
    sa.Column("domain", sa.String(40), nullable=False),
    sa.Column("book_date", sa.Date, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("reopened_by", sa.String(80), nullable=False),
    sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=False),
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

    @property
    def is_intact(self) -> bool:
        """Whether the body is the one that was sealed."""
        return hashlib.sha256(self.body.encode()).hexdigest() == self.seal

    def totals(self, hop: str) -> dict[Side, Totals] | None:
        """What was sealed of a hop; None where it is not part of the certificate."""
        for sealed in self.content["hops"]:
            if sealed["hop"] == hop:
                return {Side(side): Totals(found) for side, found in sealed["totals"].items()}
        return None


def seal(
    domain: str, book_date: dt.date, entries: Sequence[Entry], previous: str | None
) -> Certificate:
    """The certificate of a day from its entries in order of hop.

    Args:
        domain: whose day.
        book_date: the day.
        entries: the current entry of each certified hop.
        previous: the seal of the closed day before it, or None for the first.
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

    def closed(self, domain: str) -> dict[dt.date, Certificate]:
        """The closed days of a domain, in order."""
        table = certificate_table
        of_domain = sa.select(table).where(table.c.domain == domain).order_by(table.c.book_date)
        with self.engine.connect() as connection:
            rows = connection.execute(of_domain).all()
        return {r.book_date: Certificate(domain, r.book_date, r.body, r.seal) for r in rows}

    def reopen(self, domain: str, book_date: dt.date, reason: str) -> list[Certificate]:
        """Open a closed day again, and those after it, whose seals stand on its own.

        The certificates are taken out of the chain and kept aside, with the reason.

        Raises:
            CertificateError: the day is not closed.
        """
        closed = self.closed(domain)
        if book_date not in closed:
            raise CertificateError(f"{domain} {book_date} is not closed.", "not_closed")
        opened = [c for day, c in closed.items() if day >= book_date]
        rows = [
            {
                "seal": c.seal,
                "domain": domain,
                "book_date": c.book_date,
                "body": c.body,
                "reason": reason,
                "reopened_by": acting_user(),
                "reopened_at": dt.datetime.now(dt.UTC),
            }
            for c in opened
        ]
        table = certificate_table
        with self.engine.begin() as connection:
            for row in rows:  # a day sealed and reopened the same way before is told of once more
                connection.execute(
                    sa.delete(reopening_table).where(reopening_table.c.seal == row["seal"])
                )
            connection.execute(sa.insert(reopening_table), rows)
            connection.execute(
                sa.delete(table).where(
                    (table.c.domain == domain) & (table.c.book_date >= book_date)
                )
            )
        return opened

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
        broken: list[str] = []
        previous: str | None = None
        for day, certificate in self.closed(domain).items():
            if not certificate.is_intact:
                broken.append(f"{day}: the certificate's text does not match its seal")
            elif certificate.content["previous"] != previous:
                broken.append(f"{day}: not chained to the closed day before it")
            previous = certificate.seal
        return broken
