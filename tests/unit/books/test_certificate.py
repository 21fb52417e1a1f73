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
    certificate_table,
    reopening_table,
    seal,
)

THIRD = dt.date(2024, 3, 11)
SIDES = {
    Side.DUPLICATE: totals(1, hash_sum=1),
    Side.OUT: totals(1, 4590, hash_sum=7),
    Side.IN: totals(2, 4590, hash_sum=8),
}
# Written out, so that a certificate of today can be checked in years.
BODY = (
    '{"book_date":"2024-03-09","domain":"bnpl","hops":[{"entry_id":'
    '"f0b0de4a5c5f","hop":"silver → gold","totals":{"duplicate":{"hash":1,"records":1},'
    '"in":{"hash":8,"minor:USD":4590,"records":2},"out":{"hash":7,"minor:USD":4590,'
    '"records":1}}}],"previous":null,"version":1}'
)


def entry(day: dt.date, run_id: str = "run-1") -> Entry:
    return Entry(key_of(day), Status.BALANCED, SIDES, "ref", run_id, dt.datetime.now(dt.UTC))


@pytest.fixture
def chain(database: sa.Engine) -> Certificates:
    """Three days, sealed and chained."""
    certificates = Certificates(database)
    previous = None
    for day in (DAY, NEXT, THIRD):
        certificate = seal("bnpl", day, [entry(day)], previous)
        certificates.add(certificate)
        previous = certificate.seal
    return certificates


def test_a_certificate_is_canonical_text_under_its_sha_256() -> None:
    certificate = seal("bnpl", DAY, [entry(DAY)], None)
    assert certificate.body == BODY.replace("f0b0de4a5c5f", key_of().entry_id)
    assert certificate.seal == hashlib.sha256(certificate.body.encode()).hexdigest()
    assert (certificate.domain, certificate.book_date) == ("bnpl", DAY)
    assert certificate.content["hops"][0]["totals"]["out"]["minor:USD"] == 4590


def test_two_undisturbed_runs_seal_the_same() -> None:
    one, two = (seal("bnpl", DAY, [entry(DAY, run)], "s") for run in ("run-1", "run-2"))
    assert one == two
    assert one.content["previous"] == "s"


def test_an_undisturbed_chain_holds(chain: Certificates) -> None:
    assert chain.verify_chain("bnpl") == []
    assert chain.verify_chain("retail") == []
    assert list(chain.closed("bnpl")) == [DAY, NEXT, THIRD]
    assert chain.closed("retail") == {}
    assert chain.get("bnpl", NEXT) == seal(
        "bnpl", NEXT, [entry(NEXT)], seal("bnpl", DAY, [entry(DAY)], None).seal
    )
    assert chain.get("bnpl", dt.date(2024, 3, 12)) is None
    assert chain.get("retail", DAY) is None


def test_a_day_is_sealed_once(chain: Certificates) -> None:
    known = chain.get("bnpl", DAY)
    assert known is not None
    chain.add(known)
    other = seal("bnpl", DAY, [entry(DAY)], "another past")
    with pytest.raises(CertificateError) as refused:
        chain.add(other)
    assert refused.value.code == "already_closed"
    assert refused.value.message == (
        "bnpl 2024-03-09 is closed already, and its totals have changed since: "
        "run `clearhouse books` to see where."
    )
    assert chain.get("bnpl", DAY) == known
    assert CertificateError.code == "not_closable"


def test_a_certificate_gives_back_what_was_sealed(chain: Certificates) -> None:
    certificate = chain.closed("bnpl")[NEXT]
    assert certificate.totals("silver → gold") == SIDES
    assert certificate.totals("gold → readers") is None


def test_a_day_is_reopened_with_the_days_after_it_and_a_reason(chain: Certificates) -> None:
    before = chain.closed("bnpl")
    assert chain.reopen("bnpl", NEXT, "late file") == [before[NEXT], before[THIRD]]
    assert chain.closed("bnpl") == {DAY: before[DAY]}
    with chain.engine.connect() as connection:
        kept = connection.execute(sa.select(reopening_table)).all()
    assert {(r.seal, r.book_date, r.body, r.reason) for r in kept} == {
        (before[day].seal, day, before[day].body, "late file") for day in (NEXT, THIRD)
    }
    with pytest.raises(CertificateError) as refused:
        chain.reopen("bnpl", NEXT, "again")
    assert (refused.value.code, refused.value.message) == (
        "not_closed",
        "bnpl 2024-03-10 is not closed.",
    )


def test_a_day_sealed_as_before_can_be_reopened_again(chain: Certificates) -> None:
    last = chain.closed("bnpl")[THIRD]
    for reason in ("first", "second"):
        chain.reopen("bnpl", THIRD, reason)
        chain.add(last)
    with chain.engine.connect() as connection:
        assert connection.scalars(sa.select(reopening_table.c.reason)).all() == ["second"]
    assert chain.verify_chain("bnpl") == []


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
