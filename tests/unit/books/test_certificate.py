import datetime as dt
import hashlib
import json

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals

from clearhouse.books import Entry, Side, Status
from clearhouse.books.certificate import (
    CertificateError,
    Certificates,
    Tree,
    certificate_table,
    reopening_table,
    seal,
)
from clearhouse.books.model import Digests, Measured

THIRD = dt.date(2024, 3, 11)
SIDES = {
    Side.DUPLICATE: totals(1, hash_sum=1),
    Side.OUT: totals(1, 4590, hash_sum=7),
    Side.IN: totals(2, 4590, hash_sum=8),
}
DIGESTS = Digests("5e1", "0f2", ("status",))
# Written out, so that a certificate of today can be checked in years.
BODY = (
    '{"book_date":"2024-03-09","domain":"bnpl","hops":[{"content":["status"],'
    '"digests":{"in":"5e1","out":"0f2"},"entry_id":'
    '"f0b0de4a5c5f","hop":"silver → gold","root":"6e34","totals":{"duplicate":{"hash":1,'
    '"records":1},"in":{"hash":8,"minor:USD":4590,"records":2},"out":{"hash":7,'
    '"minor:USD":4590,"records":1}},"tree_size":1}],"previous":null,"version":3}'
)
TREES = {"silver → gold": Tree(1, "6e34")}


def entry(day: dt.date, run_id: str = "run-1") -> Entry:
    moment = dt.datetime.now(dt.UTC)
    return Entry(key_of(day), Status.BALANCED, SIDES, "ref", run_id, moment, DIGESTS)


@pytest.fixture
def chain(database: sa.Engine) -> Certificates:
    """Three days, sealed and chained."""
    certificates = Certificates(database)
    previous = None
    for day in (DAY, NEXT, THIRD):
        certificate = seal("bnpl", day, [entry(day)], TREES, previous)
        certificates.add(certificate, "run-1")
        previous = certificate.seal
    return certificates


def test_a_certificate_is_canonical_text_under_its_sha_256() -> None:
    certificate = seal("bnpl", DAY, [entry(DAY)], TREES, None)
    assert certificate.body == BODY.replace("f0b0de4a5c5f", key_of().entry_id)
    assert certificate.seal == hashlib.sha256(certificate.body.encode()).hexdigest()
    assert (certificate.domain, certificate.book_date) == ("bnpl", DAY)
    assert certificate.content["hops"][0]["totals"]["out"]["minor:USD"] == 4590


def test_two_undisturbed_runs_seal_the_same() -> None:
    one, two = (seal("bnpl", DAY, [entry(DAY, run)], TREES, "s") for run in ("run-1", "run-2"))
    assert one == two
    assert one.content["previous"] == "s"


def test_an_undisturbed_chain_holds(chain: Certificates) -> None:
    assert chain.verify_chain("bnpl") == []
    assert chain.verify_chain("retail") == []
    assert list(chain.closed("bnpl")) == [DAY, NEXT, THIRD]
    assert chain.closed("retail") == {}
    assert chain.get("bnpl", NEXT) == seal(
        "bnpl", NEXT, [entry(NEXT)], TREES, seal("bnpl", DAY, [entry(DAY)], TREES, None).seal
    )
    assert chain.get("bnpl", dt.date(2024, 3, 12)) is None
    assert chain.get("retail", DAY) is None


def test_a_day_is_sealed_once(chain: Certificates) -> None:
    known = chain.get("bnpl", DAY)
    assert known is not None
    chain.add(known, "run-2")
    other = seal("bnpl", DAY, [entry(DAY)], TREES, "another past")
    with pytest.raises(CertificateError) as refused:
        chain.add(other, "run-2")
    assert refused.value.code == "already_closed"
    assert refused.value.message == (
        "bnpl 2024-03-09 is closed already, and its totals have changed since: "
        "run `clearhouse books` to see where."
    )
    assert chain.get("bnpl", DAY) == known
    assert CertificateError.code == "not_closable"


def test_a_certificate_gives_back_what_was_sealed(chain: Certificates) -> None:
    certificate = chain.closed("bnpl")[NEXT]
    assert certificate.measured("silver → gold") == Measured(SIDES, DIGESTS)
    assert certificate.measured("gold → readers") is None
    assert certificate.tree("silver → gold") == Tree(1, "6e34")
    assert certificate.tree("gold → readers") is None


def test_a_day_is_reopened_with_the_days_after_it_and_a_reason(
    chain: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    before = chain.closed("bnpl")
    assert chain.reopen("bnpl", NEXT, "late file", "run-2") == [before[NEXT], before[THIRD]]
    assert chain.closed("bnpl") == {DAY: before[DAY]}
    assert (chain.closed_days("bnpl"), chain.closed_days("retail")) == ({DAY}, set())
    assert chain.reopened("bnpl") == [(before[d], "late file") for d in (NEXT, THIRD)]
    assert chain.reopened("retail") == []
    with chain.engine.connect() as connection:
        rows = connection.execute(sa.select(reopening_table)).all()
    assert {(r.reopened_by, r.run_id) for r in rows} == {("ada", "run-2")}
    with pytest.raises(CertificateError) as refused:
        chain.reopen("bnpl", NEXT, "again", "run-3")
    assert (refused.value.code, refused.value.message) == (
        "not_closed",
        "bnpl 2024-03-10 is not closed.",
    )


def test_a_day_before_all_closed_ones_is_not_reopened_with_them(chain: Certificates) -> None:
    earlier = DAY - dt.timedelta(days=1)
    with pytest.raises(CertificateError):
        chain.reopen("bnpl", earlier, "why", "run-2")
    assert list(chain.closed("bnpl")) == [DAY, NEXT, THIRD]


def test_a_day_reopened_twice_keeps_both_certificates_and_both_reasons(
    chain: Certificates,
) -> None:
    last = chain.closed("bnpl")[THIRD]
    for number, reason in enumerate(("first", "second"), 2):
        chain.reopen("bnpl", THIRD, reason, f"run-{number}")
        chain.add(last, f"run-{number}")
    assert chain.reopened("bnpl") == [(last, "first"), (last, "second")]
    assert chain.get("bnpl", THIRD) == last
    assert chain.verify_chain("bnpl") == []
    with chain.engine.connect() as connection:
        of_third = sa.select(certificate_table).where(certificate_table.c.book_date == THIRD)
        kept = connection.execute(of_third.order_by(certificate_table.c.seq)).all()
    assert [(row.run_id, row.seal) for row in kept] == [
        (f"run-{number}", last.seal) for number in (1, 2, 3)
    ]


def test_a_certificate_is_reopened_once(chain: Certificates) -> None:
    """Two people who reopen one day at the same moment: the store refuses the second."""
    chain.reopen("bnpl", THIRD, "first", "run-2")
    with chain.engine.begin() as connection:
        row = dict(connection.execute(sa.select(reopening_table)).mappings().one())
        del row["seq"]
        again = sa.insert(reopening_table).values(**row)
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(again)


def tampered(chain: Certificates, day: dt.date, **values: str) -> list[str]:
    """What the chain says after someone changed the row of a day."""
    with chain.engine.begin() as connection:
        row = certificate_table.c.book_date == day
        if values:
            connection.execute(sa.update(certificate_table).where(row).values(**values))
        else:
            connection.execute(sa.delete(certificate_table).where(row))
    return chain.verify_chain("bnpl")


@pytest.mark.parametrize("body", ["{}", "not json", BODY])
def test_a_changed_text_does_not_match_its_seal(chain: Certificates, body: str) -> None:
    assert tampered(chain, NEXT, body=body) == [
        "2024-03-10: the certificate's text does not match its seal"
    ]


def test_a_text_sealed_anew_breaks_the_chain_on_the_day_after(chain: Certificates) -> None:
    first = chain.get("bnpl", DAY)
    assert first is not None
    body = json.dumps({**first.content, "hops": []})
    resealed = hashlib.sha256(body.encode()).hexdigest()
    assert tampered(chain, DAY, body=body, seal=resealed) == [
        "2024-03-10: not chained to the closed day before it"
    ]


@pytest.mark.parametrize("day", [DAY, NEXT])
def test_a_day_taken_out_breaks_the_chain(chain: Certificates, day: dt.date) -> None:
    after = day + dt.timedelta(days=1)
    assert tampered(chain, day) == [f"{after}: not chained to the closed day before it"]
