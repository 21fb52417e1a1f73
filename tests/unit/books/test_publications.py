import datetime as dt

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT

from clearhouse.books.publications import Cause, Publications
from clearhouse.books.schema import acting_user

THIRD = dt.date(2024, 3, 11)
SECOND = dt.timedelta(seconds=1)
SALES, RETURNS = "retail.sales", "retail.returns"


@pytest.fixture
def publications(database: sa.Engine) -> Publications:
    return Publications(database)


def test_pointers_are_what_all_publications_come_to(publications: Publications) -> None:
    first = publications.add("retail", {SALES: {NEXT: "b1", DAY: "a1"}}, "run-1")
    second = publications.add(
        "retail", {SALES: {DAY: "a2", THIRD: "c1"}, RETURNS: {DAY: "r1"}}, "run-2"
    )
    third = publications.add("retail", {SALES: {NEXT: None}}, "run-3")
    assert first < second < third
    assert list(publications.pointers(SALES).items()) == [(DAY, "a2"), (THIRD, "c1")]
    assert publications.pointers(RETURNS) == {DAY: "r1"}
    assert publications.pointers("retail.stock") == {}
    assert publications.pointers(SALES, up_to=first) == {DAY: "a1", NEXT: "b1"}
    assert publications.pointers(SALES, up_to=second) == {DAY: "a2", NEXT: "b1", THIRD: "c1"}
    assert publications.pointers(SALES, up_to=third) == publications.pointers(SALES)
    assert publications.pointers(SALES, up_to=first - 1) == {}


def test_pointers_are_found_of_the_days_asked_for(publications: Publications) -> None:
    returned = {DAY: "r1", NEXT: "r2", THIRD: "r3"}
    publications.add(
        "retail", {SALES: {DAY: "a", NEXT: "b", THIRD: "c"}, RETURNS: returned}, "run-1"
    )
    second = publications.add("retail", {RETURNS: {DAY: "r4"}}, "run-2")
    assert publications.pointers(SALES, [THIRD, DAY], up_to=second) == {DAY: "a", THIRD: "c"}
    assert publications.pointers(SALES, [NEXT], up_to=0) == {}
    assert publications.pointers(SALES, [THIRD, DAY]) == {DAY: "a", THIRD: "c"}
    assert publications.pointers(SALES, [NEXT]) == {NEXT: "b"}
    assert publications.pointers(SALES, []) == {}


def test_a_withdrawn_day_can_be_published_again(publications: Publications) -> None:
    for entry_id in ("a", None, "a"):
        publications.add("retail", {SALES: {DAY: entry_id}}, "run-1")
    assert publications.pointers(SALES) == {DAY: "a"}
    assert len(publications.history("retail")) == 3


def test_the_history_says_who_changed_what_when_and_why(
    publications: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    one = publications.add("retail", {SALES: {DAY: "a", NEXT: "b"}, RETURNS: {DAY: "r"}}, "run-1")
    publications.add("bnpl", {"bnpl.transactions": {DAY: "t"}}, "run-1")
    two = publications.add("retail", {SALES: {DAY: "z"}}, "run-2", Cause.ROLLBACK, "wrong prices")
    told = publications.history("retail")
    assert [(p.number, p.cause, p.reason, p.made_by, p.run_id, p.changes) for p in told] == [
        (one, Cause.RUN, "", "ada", "run-1", 3),
        (two, Cause.ROLLBACK, "wrong prices", "ada", "run-2", 1),
    ]
    assert all(p.made_at.replace(tzinfo=None) >= before for p in told)
    assert publications.history("gl") == []


def test_days_are_found_by_when_their_pointer_was_changed(publications: Publications) -> None:
    publications.add("retail", {SALES: {DAY: "a", NEXT: "b"}, RETURNS: {THIRD: "r"}}, "run-1")
    publications.add("retail", {SALES: {NEXT: None}}, "run-2")
    publications.add("retail", {SALES: {THIRD: "c"}}, "run-3")
    first, second, third = moments(publications)

    assert sorted(publications.changed(SALES, None, None)) == [DAY, NEXT, THIRD]
    assert sorted(publications.changed(SALES, None, first)) == [DAY, NEXT]
    assert publications.changed(SALES, first, second) == [NEXT]
    assert publications.changed(SALES, second, None) == [THIRD]
    assert publications.changed(SALES, third, None) == []
    assert publications.changed(RETURNS, None, None) == [THIRD]


def test_entries_that_readers_saw_at_a_moment_and_later(publications: Publications) -> None:
    returned = {RETURNS: {DAY: "r1"}}
    publications.add("retail", {SALES: {DAY: "a1", NEXT: "b1", THIRD: "c1"}, **returned}, "run-1")
    publications.add("retail", {SALES: {DAY: "a2", NEXT: None}}, "run-2")
    publications.add("retail", {SALES: {DAY: "a3"}}, "run-3")
    first, second, third = moments(publications)

    assert publications.shown_since(SALES, [DAY], first - SECOND) == {"a1", "a2", "a3"}
    assert publications.shown_since(SALES, [DAY, NEXT], first) == {"a1", "a2", "a3", "b1"}
    assert publications.shown_since(SALES, [DAY, NEXT], second) == {"a2", "a3"}
    assert publications.shown_since(SALES, [DAY, THIRD], third) == {"a3", "c1"}
    assert publications.shown_since(RETURNS, [DAY], third) == {"r1"}
    assert publications.shown_since(SALES, [], first) == set()


def moments(publications: Publications) -> list[dt.datetime]:
    """When each publication was made."""
    return [publication.made_at for publication in publications.history("retail")]


def test_the_latest_publication_is_that_of_the_domain(publications: Publications) -> None:
    assert publications.latest("retail") == 0
    one = publications.add("retail", {SALES: {DAY: "a"}}, "run-1")
    two = publications.add("bnpl", {"bnpl.transactions": {DAY: "t"}}, "run-1")
    assert (publications.latest("retail"), publications.latest("bnpl")) == (one, two)


def test_who_has_no_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 1234)
    assert acting_user() == "uid 1234"
