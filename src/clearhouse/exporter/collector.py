"""The metrics of the books. Labels are names of domains, hops, datasets, statuses, sides, reasons
and currencies: each from a short list, and none of a record or a person.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from clearhouse.books.model import Totals
from clearhouse.exporter.figures import Figures, Since
from clearhouse.exporter.reading import Reader, Reading

Sample = tuple[list[str], float]


class BooksCollector(Collector):
    """The metrics, made anew for each scrape from what the reader has.

    Args:
        reader: of the books.
        now: the time in UTC.
    """

    def __init__(self, reader: Reader, now: Callable[[], dt.datetime]) -> None:
        self._reader = reader
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All of them; of books that can't be read, nothing but that."""
        reading = self._reader.read()
        up = "Whether the books can be read: 1, or 0, and then there are no other metrics of them."
        yield _gauge("clearhouse_books_up", up, (), [([], float(reading is not None))])
        if reading is not None:
            yield from _of_work(reading.figures)
            yield from _of_money(reading.figures)
            yield from _of_readers(reading.figures, self._now().date())
            yield from _of_the_store(reading)


def _gauge(
    name: str, documentation: str, labels: tuple[str, ...], samples: Iterable[Sample]
) -> GaugeMetricFamily:
    found = GaugeMetricFamily(name, documentation, labels=labels)
    for values, value in samples:
        found.add_metric(values, value)
    return found


def _of_work(figures: Figures) -> Iterator[GaugeMetricFamily]:
    """What became of the days."""
    yield _gauge(
        "clearhouse_books_entries",
        "Entries in force. A held one balances, and a gate does not let it pass.",
        ("domain", "hop", "status"),
        (([*map(str, key)], count) for key, count in figures.entries.items()),
    )
    yield _gauge(
        "clearhouse_books_last_entry_timestamp_seconds",
        "When the entry in force that was written last was written.",
        ("domain", "hop"),
        (([*place], _seconds(at)) for place, at in figures.entered_at.items()),
    )
    yield _gauge(
        "clearhouse_books_days",
        "Book dates with entries: closed are those that a certificate seals, open the others.",
        ("domain", "state"),
        (
            sample
            for domain, days in figures.days.items()
            for closed in (figures.closed_days.get(domain, 0),)
            for sample in (([domain, "closed"], closed), ([domain, "open"], days - closed))
        ),
    )
    yield from _since("held", "that a gate holds", figures.held, figures.days)
    yield from _since("unfinished", "whose work began and did not end", figures.open, figures.days)
    yield _gauge(
        "clearhouse_books_last_audit_timestamp_seconds",
        "When the books were audited last.",
        ("domain",),
        (([domain], _seconds(last.at)) for domain, last in figures.audits.items()),
    )
    yield _gauge(
        "clearhouse_books_last_audit_findings",
        "Number of findings of the last audit.",
        ("domain",),
        (([domain], last.findings) for domain, last in figures.audits.items()),
    )


def _since(
    name: str, what: str, found: Mapping[str, Since], domains: Iterable[str]
) -> Iterator[GaugeMetricFamily]:
    """Days of a kind, and since when. Where there are none, there is no time either."""
    yield _gauge(
        f"clearhouse_books_{name}_days",
        f"Book dates {what}.",
        ("domain",),
        (([d], found[d].days if d in found else 0) for d in domains),
    )
    yield _gauge(
        f"clearhouse_books_{name}_since_timestamp_seconds",
        f"Since when there are book dates {what}: of the first of them.",
        ("domain",),
        (([domain], _seconds(each.since)) for domain, each in found.items()),
    )


def _of_money(figures: Figures) -> Iterator[GaugeMetricFamily]:
    """What does not balance, and the newest day, side by side."""
    places = figures.entered_at
    differences = {place: figures.differences.get(place, Totals()) for place in places}
    yield _gauge(
        "clearhouse_books_unbalanced_records",
        "Records that are missing or too many in unbalanced entries; 0 where their rows differ in "
        "content alone.",
        ("domain", "hop"),
        (([*place], found.records) for place, found in differences.items()),
    )
    yield _gauge(
        "clearhouse_books_unbalanced_minor_units",
        "Money that is missing or too much in unbalanced entries, in minor units of the currency.",
        ("domain", "hop", "currency"),
        (
            ([*place, currency], minor)
            for place, found in differences.items()
            for currency, minor in found.amounts()
        ),
    )
    yield _gauge(
        "clearhouse_books_newest_day_timestamp_seconds",
        "The newest book date.",
        ("domain",),
        (([domain], _seconds(day)) for domain, day in figures.newest_day.items()),
    )
    sides = [
        ([*place, str(side)], totals)
        for place, by_side in figures.newest_totals.items()
        for side, totals in by_side.items()
    ]
    yield _gauge(
        "clearhouse_books_newest_day_records",
        "Records of the newest book date: what is in is found again on the other sides.",
        ("domain", "hop", "side"),
        ((place, totals.records) for place, totals in sides),
    )
    yield _gauge(
        "clearhouse_books_newest_day_minor_units",
        "Money of the newest book date, in minor units of the currency.",
        ("domain", "hop", "side", "currency"),
        (
            ([*place, currency], minor)
            for place, totals in sides
            for currency, minor in totals.amounts()
        ),
    )


def _of_readers(figures: Figures, today: dt.date) -> Iterator[GaugeMetricFamily]:
    """What readers see."""
    by_dataset = ("domain", "dataset")
    published = {(_domain(each), each): seen for each, seen in figures.published.items()}
    yield _gauge(
        "clearhouse_books_published_days",
        "Book dates that readers see.",
        by_dataset,
        (([*key], seen.days) for key, seen in published.items()),
    )
    yield _gauge(
        "clearhouse_books_newest_published_day_timestamp_seconds",
        "The newest book date that readers see.",
        by_dataset,
        (([*key], _seconds(seen.newest)) for key, seen in published.items()),
    )
    yield _gauge(
        "clearhouse_books_newest_published_day_age_days",
        "Days from the newest book date that readers see to today.",
        by_dataset,
        (([*key], (today - seen.newest).days) for key, seen in published.items()),
    )
    yield _gauge(
        "clearhouse_books_last_publication_timestamp_seconds",
        "When something was published last; 0: never.",
        ("domain",),
        (
            ([domain], _seconds(at) if (at := figures.published_at.get(domain)) else 0)
            for domain in figures.days
        ),
    )


def _of_the_store(reading: Reading) -> Iterator[GaugeMetricFamily]:
    """What is beside the books, and what it takes to read them."""
    yield _gauge(
        "clearhouse_quarantine_rows",
        "Rows that broke their contract, by the first reason; those that were corrected since too.",
        ("domain", "dataset", "code"),
        (
            ([_domain(dataset), dataset, code], rows)
            for (dataset, code), rows in reading.quarantined.items()
        ),
    )
    yield _gauge(
        "clearhouse_exporter_reading_seconds",
        "Seconds that it took to read the books, when they had last changed.",
        (),
        [([], reading.seconds)],
    )


def _domain(dataset: str) -> str:
    return dataset.partition(".")[0]


def _seconds(at: dt.datetime | dt.date) -> float:
    """Unix time of a moment in UTC, or of the beginning of a day."""
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time())
    return at.replace(tzinfo=dt.UTC).timestamp()
