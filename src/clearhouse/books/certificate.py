"""Certificates: a closed day's totals and roots, sealed and chained to the closed day before it.

Canonical JSON without run ids and times, so that two undisturbed runs seal the same; SHA-256 over
it. A person can recompute every figure with other tools, by commands that go with it.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.books.in_store import InStore
from clearhouse.books.journal import recording
from clearhouse.books.model import Digests, Entry, Measured, Side, Totals, canonical
from clearhouse.books.schema import certificate_table, reopening_table
from clearhouse.core.errors import ClearhouseError

_VERSION = 3
"""Of what is sealed. The one before had digests of another form (`digests.FORM`)."""


class CertificateError(ClearhouseError):
    """A day that can't be closed, or whose certificate does not hold."""

    code = "not_closable"


@dataclass(frozen=True, slots=True)
class Tree:
    """The Merkle tree over a day's records at a hop: how many there are, and its root in hex."""

    size: int
    root: str


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

    def measured(self, hop: str) -> Measured | None:
        """What was sealed of a hop; None where it is not part of the certificate."""
        sealed = self._sealed(hop)
        if sealed is None:
            return None
        totals = {Side(side): Totals(found) for side, found in sealed["totals"].items()}
        if self.content["version"] != _VERSION:  # its digests are of another form
            return Measured(totals)
        digests = sealed["digests"]
        return Measured(totals, Digests(digests["in"], digests["out"], tuple(sealed["content"])))

    def tree(self, hop: str) -> Tree | None:
        """The tree that was sealed of a hop; None where it is not part of the certificate."""
        sealed = self._sealed(hop)
        return Tree(sealed["tree_size"], sealed["root"]) if sealed else None

    def _sealed(self, hop: str) -> dict[str, Any] | None:
        return next((sealed for sealed in self.content["hops"] if sealed["hop"] == hop), None)


def seal(
    domain: str,
    book_date: dt.date,
    entries: Sequence[Entry],
    trees: Mapping[str, Tree],
    previous: str | None,
) -> Certificate:
    """The certificate of a day from its entries in order of hop.

    Args:
        domain: whose day.
        book_date: the day.
        entries: the current entry of each certified hop.
        trees: by hop, the tree over what came out of it.
        previous: the seal of the closed day before it, or None for the first.
    """
    body = json.dumps(
        {
            "book_date": str(book_date),
            "domain": domain,
            "hops": [
                {
                    "content": e.digests.content,
                    "digests": {"in": e.digests.entering, "out": e.digests.leaving},
                    "entry_id": e.entry_id,
                    "hop": e.key.hop,
                    "root": trees[e.key.hop].root,
                    "totals": canonical(e.totals),
                    "tree_size": trees[e.key.hop].size,
                }
                for e in entries
            ],
            "previous": previous,
            "version": _VERSION,
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return Certificate(domain, book_date, body, hashlib.sha256(body.encode()).hexdigest())


class Certificates(InStore):
    """The chain of certificates, kept beside the books. A reopened one stays, with the reason."""

    def get(self, domain: str, book_date: dt.date) -> Certificate | None:
        """The certificate of a day, if it is closed."""
        return self.closed(domain).get(book_date)

    def closed(self, domain: str) -> dict[dt.date, Certificate]:
        """The closed days of a domain, in order."""
        return {row.book_date: _certificate(row) for row in self.rows(_in_force(domain))}

    def closed_days(self, domain: str) -> set[dt.date]:
        """The closed days alone, without what was sealed of them."""
        return {*self.values(_in_force(domain).with_only_columns(certificate_table.c.book_date))}

    def reopened(self, domain: str) -> list[tuple[Certificate, str]]:
        """Certificates that are no longer in force, each with the reason, in order of reopening."""
        statement = (
            sa.select(certificate_table, reopening_table.c.reason)
            .join(reopening_table, reopening_table.c.certificate == certificate_table.c.seq)
            .where(certificate_table.c.domain == domain)
            .order_by(reopening_table.c.seq)
        )
        return [(_certificate(row), row.reason) for row in self.rows(statement)]

    def reopen(
        self, domain: str, book_date: dt.date, reason: str, run_id: str
    ) -> list[Certificate]:
        """Open a closed day again, and those after it, whose seals stand on its own.

        Raises:
            CertificateError: the day is not closed.
        """
        rows = [row for row in self.rows(_in_force(domain)) if row.book_date >= book_date]
        if not rows or rows[0].book_date != book_date:
            raise CertificateError(f"{domain} {book_date} is not closed.", "not_closed")
        with recording(self.engine, "reopening", run_id) as record:
            reopened = [{"certificate": row.seq, "reason": reason} for row in rows]
            record.add(reopening_table, reopened)
        return [_certificate(row) for row in rows]

    def add(self, certificate: Certificate, run_id: str) -> None:
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
            with recording(self.engine, "certificate", run_id) as record:
                record.add(certificate_table, [asdict(certificate)])

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


def _in_force(domain: str) -> sa.Select[Any]:
    is_reopened = sa.exists().where(reopening_table.c.certificate == certificate_table.c.seq)
    return (
        sa.select(certificate_table)
        .where((certificate_table.c.domain == domain) & ~is_reopened)
        .order_by(certificate_table.c.book_date)
    )


def _certificate(row: Any) -> Certificate:
    return Certificate(row.domain, row.book_date, row.body, row.seal)
