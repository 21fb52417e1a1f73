"""A month that services have taken and recorded: its tables, its day's books and certificate."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa
from payment_services import settings_of

from clearhouse.payments.domain import PAYMENTS
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import open_store
from clearhouse.pipeline.close import close_day
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from stack.two_engines import Home

COMPARED: dict[sa.Table, set[str]] = {
    tables.payment_event: {
        *("webhook_position", "recorded_at", "number"),  # where and when it came
        *("line", "record_id"),  # hold the position and the time of receipt, or are digests of it
    },
    tables.delivery: {
        *("webhook_position", "first_at", "last_at"),
        "body_sha256",  # of several deliveries of an event, another one may come first
    },
    tables.payment_link: set(),
    tables.payment: set(),
    tables.refund: set(),
    tables.dispute: set(),
    tables.payout: set(),
    tables.journal_line: set(),
}
"""Tables that hold the same of one world whatever they are on, each with its volatile columns."""


@dataclass
class Month:
    """What services have recorded on a day, to be run through the pipeline."""

    home: Home
    day: dt.date

    def run(self) -> None:
        """See that `clearhouse run` and `clearhouse books` find everything as it must be."""
        for command in (
            ("run", "payments", "--from", self.day, "--to", self.day),
            ("books", "--domain", "payments"),
        ):
            done = self.home.command(*command)
            assert done.exit_code == 0, (done.exception, done.output, done.stderr)

    def rows(self, table: sa.Table) -> Counter[tuple[Any, ...]]:
        """The rows of a table, and how often each is there, without volatile columns."""
        columns = [each for each in table.columns if each.name not in COMPARED[table]]
        url = settings_of(self._environment).payments_database_url
        with closing(open_store(url)) as store, store.reading() as asked:
            return Counter(tuple(row) for row in asked.execute(sa.select(*columns)))

    def books(self) -> dict[str, Any]:
        """What the books say of each hop: its status, and records and money by side."""
        with self._opened() as run:
            return {
                entry.key.hop: (
                    str(entry.status),
                    _figures({str(side): each.measures for side, each in entry.totals.items()}),
                )
                for entry in run.books.current("payments")
                if entry.key.book_date == self.day
            }

    def certificate(self) -> dict[str, Any]:
        """What the certificate of the day says of each hop: its tree's size, records and money."""
        with self._opened() as run:
            closed = close_day(run, self.day)
        return {
            sealed["hop"]: (sealed["tree_size"], _figures(sealed["totals"]))
            for sealed in closed.certificate.content["hops"]
        }

    def published(self, sql: str) -> Any:
        """The first value that readers are answered."""
        with self._opened() as run:
            found = run.engine.query_readers("marts.payments", sql)
        assert found is not None
        return found[0][0].as_py()

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.home.settings, "CLEARHOUSE_HOME": str(self.home.path)}

    @contextmanager
    def _opened(self) -> Iterator[Run]:
        with patch.dict(os.environ, self._environment):  # an S3 store is read from there
            run = open_run(PAYMENTS, settings_of(self._environment))
            try:
                yield run
            finally:
                run.engine.close()


def _figures(totals: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without hashes: they are of records' bytes, which say where and when each came."""
    return {
        side: {name: value for name, value in measures.items() if name != "hash" and value}
        for side, measures in totals.items()
    }
