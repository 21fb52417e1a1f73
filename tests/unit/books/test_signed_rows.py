"""Every row that says what happened also says in which run, when, and who decided it."""

import datetime as dt

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, key_of

from clearhouse.books import Books
from clearhouse.books.certificate import Certificates, seal
from clearhouse.books.decisions import Decisions
from clearhouse.books.ledger import Audited
from clearhouse.books.publications import Publications
from clearhouse.books.schema import metadata
from clearhouse.books.verified import Verified
from clearhouse.core.sql_tables import Moment

RUN_OF = {
    "books_event": "opened",
    "books_verdict": "judged",
    "books_release": "released",
    "books_publication": "published",
    "books_certificate": "closed",
    "books_reopening": "reopened",
    "books_audit": "audited",
    "books_finding": "found",
    "books_verified": "verified",
}
"""By table, the run that writes into it here."""
BY_A_PERSON = {"books_release", "books_publication", "books_reopening"}


@pytest.fixture
def written(database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Books with one row in each table that is signed."""
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    books, key = Books(database), key_of()
    books.open([key], "opened")
    Decisions(database).record("gate", "rules", {key.entry_id: (False, ["few"])}, "judged")
    Decisions(database).release(key.entry_id, "gate", ["few"], "a holiday", "released")
    Publications(database).add("bnpl", {"bnpl.x": {DAY: key.entry_id}}, "published")
    certificates = Certificates(database)
    certificates.add(seal("bnpl", DAY, [], {}, None), "closed")
    certificates.reopen("bnpl", DAY, "a wrong rate", "reopened")
    books.add_audit(Audited("bnpl", DAY, DAY, 1, 1, "{}"), [], "audited")
    books.add_findings("bnpl", [("books", None, "red")], "found")
    Verified(database).add("bnpl", {DAY: 0}, "verified")
    return database


def test_each_row_names_its_run_its_time_and_its_user(written: sa.Engine) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    signed = [table for table in metadata.sorted_tables if "run_id" in table.c]
    assert {table.name for table in signed} == RUN_OF.keys()
    with written.connect() as connection:
        for table in signed:
            (row,) = connection.execute(sa.select(table)).mappings()
            assert row["run_id"] == RUN_OF[table.name]
            (at,) = (row[c.name] for c in table.c if isinstance(c.type, Moment))
            assert dt.timedelta() <= now - at < dt.timedelta(hours=1)
            users = [row[name] for name in row if name.endswith("_by")]
            assert set(users) <= {"ada"}
            assert len(users) == (table.name in BY_A_PERSON)
