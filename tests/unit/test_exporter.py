"""The exporter over HTTP: what Prometheus is told of the books, and that no run is kept waiting."""

import datetime as dt
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import Databases, opened, url_of
from prometheus_client.parser import text_string_to_metric_families

from clearhouse.books import Books, EntryKey, Side, Totals
from clearhouse.books.journal import recording
from clearhouse.books.model import Digests, Measured
from clearhouse.books.publications import Publications
from clearhouse.books.schema import entry_table
from clearhouse.core.contract.rules import Violation
from clearhouse.core.errors import UsageError
from clearhouse.core.urls import SecretUrl
from clearhouse.exporter.figures import read_figures
from clearhouse.exporter.server import exporting
from clearhouse.settings import Settings, load_settings
from clearhouse.store.database import open_to_watch
from clearhouse.store.quarantine import Quarantine, QuarantinedRow

DAY, NEXT = dt.date(2024, 3, 9), dt.date(2024, 3, 10)
HOP = "silver → gold"
TODAY = dt.datetime(2024, 3, 15, 1, tzinfo=dt.UTC)
LABELS = {"domain", "hop", "status", "state", "side", "currency", "dataset", "code"}

Samples = dict[tuple[str, ...], float]


def settings_of(url: str, home: Path) -> Settings:
    return load_settings(_env_file=None, clearhouse_home=home, database_url=url)


@pytest.fixture
def exporter(database: sa.Engine, tmp_path: Path) -> Iterator[str]:
    """The URL of the metrics of a database."""
    settings = settings_of(url_of(database), tmp_path)
    with exporting(settings, port=0, now=lambda: TODAY) as (url, _):
        yield url


def text_of(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def scraped(url: str) -> dict[str, Samples]:
    """By metric: values by those of the labels, in order of the labels' names."""
    return {
        family.name: {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in family.samples
        }
        for family in text_string_to_metric_families(text_of(url))
    }


def key_of(day: dt.date, domain: str = "bnpl") -> EntryKey:
    return EntryKey(domain, HOP, day, "input", "code")


def measured(entering: int, leaving: int) -> Measured:
    """Records of ten cents each."""
    sides = {Side.IN: entering, Side.OUT: leaving}
    totals = {side: Totals({"records": n, "minor:USD": 10 * n}) for side, n in sides.items()}
    return Measured(totals, Digests("5e1", "5e1"))


def quarantined(code: str, line: int) -> QuarantinedRow:
    return QuarantinedRow(
        dataset="bnpl.purchases",
        book_date=DAY,
        record_id=f"id {line}",
        record_key="2024-03-09|ana@example.com",
        object_key="raw/0001.ndjson.zst",
        line=line,
        violations=(Violation("amount", code, "ana@example.com is no amount"),),
        raw=b'{"amount": "ana@example.com"}',
        amount_minor=5,
        currency="USD",
    )


def test_it_tells_how_the_books_stand(books: Books, exporter: str) -> None:
    books.close({key_of(DAY): measured(3, 3), key_of(NEXT): measured(3, 1)}, "run-1")
    books.open([key_of(DAY, "retail")], "run-1")
    publications = Publications(books.engine)
    publications.add("bnpl", {"bnpl.purchases": {DAY: "a", NEXT: None}}, "run-1")
    (made,) = publications.history("bnpl")

    found = scraped(exporter)

    assert found["clearhouse_books_up"] == {(): 1}
    entries = found["clearhouse_books_entries"]
    assert {key: count for key, count in entries.items() if count} == {
        ("bnpl", HOP, "balanced"): 1,
        ("bnpl", HOP, "unbalanced"): 1,
        ("retail", HOP, "open"): 1,
    }
    assert entries["retail", HOP, "unbalanced"] == 0, "a rule needs a zero to count from"
    assert found["clearhouse_books_unbalanced_records"] == {("bnpl", HOP): 2, ("retail", HOP): 0}
    assert found["clearhouse_books_unbalanced_minor_units"] == {("USD", "bnpl", HOP): 20}
    assert found["clearhouse_books_newest_day_records"] == {
        ("bnpl", HOP, "in"): 3,
        ("bnpl", HOP, "out"): 1,
    }
    assert found["clearhouse_books_days"]["bnpl", "open"] == 2
    assert found["clearhouse_books_unfinished_days"] == {("bnpl",): 0, ("retail",): 1}
    assert found["clearhouse_books_unfinished_since_timestamp_seconds"].keys() == {("retail",)}
    assert found["clearhouse_books_held_days"] == {("bnpl",): 0, ("retail",): 0}
    published = ("bnpl.purchases", "bnpl")
    assert found["clearhouse_books_published_days"] == {published: 1}
    assert found["clearhouse_books_newest_published_day_age_days"] == {published: 6}
    assert found["clearhouse_books_newest_published_day_timestamp_seconds"] == {
        published: dt.datetime(2024, 3, 9, tzinfo=dt.UTC).timestamp()
    }
    assert found["clearhouse_books_last_publication_timestamp_seconds"] == {
        ("bnpl",): made.made_at.replace(tzinfo=dt.UTC).timestamp(),
        ("retail",): 0,
    }


def test_quarantine_is_counted_and_nothing_of_its_rows_is_told(books: Books, exporter: str) -> None:
    rows = [quarantined("wrong_type", 1), quarantined("wrong_type", 2), quarantined("missing", 3)]
    Quarantine(books.engine).replace("bnpl.purchases", {DAY: ("e1", rows)})
    books.close({key_of(DAY): measured(3, 3)}, "run-1")

    assert scraped(exporter)["clearhouse_quarantine_rows"] == {
        ("missing", "bnpl.purchases", "bnpl"): 1,
        ("wrong_type", "bnpl.purchases", "bnpl"): 2,
    }
    text = text_of(exporter)
    assert "ana@example.com" not in text
    families = text_string_to_metric_families(text)
    assert {name for each in families for s in each.samples for name in s.labels} <= LABELS


def test_the_books_are_read_again_only_when_something_was_recorded(
    books: Books, databases: Databases, exporter: str
) -> None:
    books.close({key_of(DAY): measured(3, 3)}, "run-1")
    before = scraped(exporter)
    databases.edit(url_of(books.engine), "UPDATE books_event SET status = 'failed'")
    assert scraped(exporter) == before

    books.close({key_of(NEXT): measured(3, 3)}, "run-2")

    entries = scraped(exporter)["clearhouse_books_entries"]
    assert entries["bnpl", HOP, "failed"] == 1
    assert entries["bnpl", HOP, "balanced"] == 1


def test_a_scrape_does_not_wait_for_a_run_that_writes(books: Books, exporter: str) -> None:
    books.close({key_of(DAY): measured(3, 3)}, "run-1")
    with recording(books.engine, "entries") as record:
        record.add(entry_table, [{"entry_id": "half", **_columns(key_of(NEXT))}])

        assert scraped(exporter)["clearhouse_books_days"]["bnpl", "open"] == 1


def test_a_run_does_not_wait_for_a_scrape_that_reads(books: Books) -> None:
    books.close({key_of(DAY): measured(3, 3)}, "run-1")
    watching = open_to_watch(_whole(url_of(books.engine)))
    with watching.connect() as reading:
        before = read_figures(reading)
        writer = opened(url_of(books.engine))

        Books(writer).close({key_of(NEXT): measured(3, 3)}, "run-2")

        assert read_figures(reading) == before, "one state, as of its beginning"
    with watching.connect() as reading:
        assert read_figures(reading).days == {"bnpl": 2}
    writer.dispose()
    watching.dispose()


def test_books_that_can_not_be_read_are_told_and_nothing_is_made_of_them(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.bare()
    with exporting(settings_of(url, tmp_path), port=0) as (metrics, _):
        assert scraped(metrics) == {"clearhouse_books_up": {(): 0}}
        assert scraped(metrics) == {"clearhouse_books_up": {(): 0}}

        opened(url).dispose()  # as the first run does

        assert scraped(metrics)["clearhouse_books_up"] == {(): 1}


def test_an_address_in_use_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = load_settings(_env_file=None, clearhouse_home=tmp_path)
        with (
            pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: Address already in use"),
            exporting(settings, port=port),
        ):
            pass


def _columns(key: EntryKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in EntryKey.__dataclass_fields__}


def _whole(url: str) -> str | SecretUrl:
    return SecretUrl.parse(url, ("postgresql",)) if url.startswith("postgresql:") else url
