"""Proofs: that one record is among those of a closed day, for a stranger to check.

`verify_proof.py` at the top of the repository is the other half, and does without this package.
"""

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.certificate import Certificate, CertificateError, Tree
from clearhouse.books.hop import Hop
from clearhouse.books.model import Side
from clearhouse.core import merkle
from clearhouse.core.columnar import query, row_text
from clearhouse.core.errors import UsageError
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.trace import find

_FIELDS = ("_record_id", "_record_key", "amount_minor", "currency", "content")
_VERSION = 1


def leaf_text(
    record_id: str, record_key: str, amount_minor: int, currency: str, content: str
) -> bytes:
    """The canonical text of a record: each field with its length in bytes before it.

    `leaves` keeps to this definition column-wise.

    Args:
        record_id: see `core.contract.reading`.
        record_key: the natural key.
        amount_minor: the amount in minor units.
        currency: its ISO 4217 code.
        content: SHA-256 hex of the row's values as JSON (`core.columnar.row_text`), columns of the
            contract among them; "" where the hop compares no columns.
    """
    fields = (record_id, record_key, str(amount_minor), currency, content)
    return b"".join(b"%d:%s" % (len(each), each) for each in map(str.encode, fields))


def leaves(hop: Hop, day: dt.date) -> pa.Table:
    """What came out of a hop, in order of record id and then of text, each with its `leaf` hash."""
    content = hop.content()
    legs = [leg.relation.rows([day], content) for leg in hop.legs if leg.side is Side.OUT]
    rows = pa.concat_tables(legs)
    kinds = {f'"{f.name}"': f.type for f in rows.schema if f.name != "_book_date"}
    digested = f"sha256({row_text(kinds)})" if content else "''"
    fields = ", ".join(f"strlen({name}::VARCHAR), ':', {name}" for name in _FIELDS)
    return query(
        f"""SELECT *, unhex(sha256('\\x00'::BLOB || encode(text))) AS leaf
        FROM (SELECT {", ".join(_FIELDS)}, concat({fields}) AS text
            FROM (SELECT *, {digested} AS content FROM rows))
        ORDER BY _record_id, text""",
        rows=rows,
    )


def tree_of(ordered: pa.Table) -> Tree:
    """The tree over leaves."""
    return Tree(len(ordered), merkle.root(ordered["leaf"].to_pylist()).hex())


def proof(run: Run, wanted: str) -> dict[str, Any]:
    """That a record is among those of its day at the last certified hop that it came out of.

    Args:
        run: the domain's parts.
        wanted: the source's id of the record, its key or its record id.

    Raises:
        UsageError: no record is called so, or several are, or it is in quarantine.
        CertificateError: its day is not closed, or the stores don't hold what was sealed.
    """
    dataset, record_id, day = _record(run, wanted)
    certificate = _certificate(run, day)
    hop, ordered, index = _place(dataset, record_id, day)
    hashes = ordered["leaf"].to_pylist()
    path = merkle.path(hashes, index)
    root = merkle.root_from_path(hashes[index], index, len(hashes), path)
    if certificate.tree(hop.name) != Tree(len(hashes), root.hex()):
        raise CertificateError(
            f"{hop.name} no longer holds the records that were sealed when {day} was closed: "
            "`clearhouse books` says more.",
            "not_as_sealed",
        )
    (row,) = ordered.select(_FIELDS).slice(index, 1).to_pylist()
    return {
        "version": _VERSION,
        "domain": run.name,
        "hop": hop.name,
        "book_date": str(day),
        "record": {name.removeprefix("_"): value for name, value in row.items()},
        "index": index,
        "tree_size": len(hashes),
        "path": [each.hex() for each in path],
        "certificate": certificate.body,
        "seal": certificate.seal,
        "journal": run.journal.place_of("certificate", certificate.seal),
    }


def _record(run: Run, wanted: str) -> tuple[OpenDataset, str, dt.date]:
    """The record that is called so, with the first day that it arrived on."""
    found = [
        (dataset, row["_record_id"], row["_book_date"])
        for dataset in run.datasets
        for row in find(run, dataset, wanted)
    ]
    if not found:
        for row in run.quarantined(wanted):
            raise UsageError(
                f"{wanted!r} stands in quarantine, as its contract rejected it on "
                f"{row.book_date}: no certified table holds it.",
                "in_quarantine",
            )
        raise UsageError(f"No record {wanted!r} is known.", "unknown_record")
    if len({record_id for _, record_id, _ in found}) > 1:
        listed = ", ".join(f"{record_id} of {day}" for _, record_id, day in found)
        raise UsageError(
            f"{wanted!r} names several records or versions of one: give a record id ({listed}).",
            "several_records",
        )
    return min(found, key=lambda each: each[2])


def _certificate(run: Run, day: dt.date) -> Certificate:
    certificate = run.certificates.get(run.name, day)
    if certificate is None:
        reasons = [why for c, why in run.certificates.reopened(run.name) if c.book_date == day]
        state = f"was reopened ({reasons[-1]})" if reasons else "is not closed"
        raise CertificateError(
            f"{day} {state}, and only what a closed day holds can be proved: "
            f"`clearhouse close {run.name} --date {day}` closes it.",
            "not_closed",
        )
    broken = run.certificates.verify_chain(run.name)
    if broken:
        raise CertificateError(f"{broken[0]}: see `clearhouse books`.", "certificate_edited")
    return certificate


def _place(dataset: OpenDataset, record_id: str, day: dt.date) -> tuple[Hop, pa.Table, int]:
    """The last certified hop that a record came out of, what else did, and its place there."""
    for hop in reversed([hop for hop in dataset.hops.values() if hop.certified]):
        ordered = leaves(hop, day)
        index = pc.index(ordered["_record_id"], record_id).as_py()
        if index >= 0:
            return hop, ordered, index
    raise CertificateError(
        f"No certified table of {day} holds {record_id}: see `clearhouse books`.", "not_as_sealed"
    )
