"""One BNPL warehouse in a folder of its own, as tests handle it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearhouse.bnpl.closing import audit_days
from clearhouse.bnpl.context import Bnpl
from clearhouse.bnpl.pipeline import PIPELINE
from clearhouse.bnpl.spine import READERS
from clearhouse.world import Source, open_bnpl

from clearhouse.books.audit import Audit
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window
from clearhouse.pipeline.runner import RunReport, run_steps
from clearhouse.settings import load_settings

DAY = dt.date(2024, 1, 2)
BASE_DAILY_VOLUME = 150
QUICK = HttpPolicy(attempts=2, wait_initial_seconds=0.01, wait_max_seconds=0.02)


@dataclass
class Warehouse:
    """One CLEARHOUSE_HOME, and the source it pulls from."""

    home: Path
    url: str
    ask_by: str = "day"
    base_daily_volume: int = BASE_DAILY_VOLUME
    seed: int = 42

    def open(self, *, refresh: bool = False) -> Bnpl:
        settings = load_settings(
            _env_file=None,
            clearhouse_home=self.home,
            bnpl_api_url=self.url,
            bnpl_base_daily_volume=self.base_daily_volume,
            bnpl_ask_by=self.ask_by,
            bnpl_seed=self.seed,
        )
        # One name for every sandbox: a source that changes its mind stays the same source.
        bnpl = open_bnpl(settings, Source(lambda: self.url, "test", False), refresh=refresh)
        bnpl.policy = QUICK
        return bnpl

    def run(
        self, first: dt.date, last: dt.date | None = None, *, refresh: bool = False
    ) -> RunReport:
        bnpl = self.open(refresh=refresh)
        window = Window(first, last or first)
        return run_steps(PIPELINE, bnpl, window, run_id=bnpl.run_id)

    def audit(self) -> Audit:
        bnpl = self.open()
        return audit_days(bnpl)

    def totals(self) -> dict[tuple[str, dt.date], dict[str, dict[str, int]]]:
        """What the stores hold, by hop and day."""
        return {
            (e.key.hop, e.key.book_date): {
                str(side): dict(totals.measures) for side, totals in e.totals.items()
            }
            for e in self.audit().entries
        }

    def readers(self, sql: str = "SELECT count(*) AS n FROM {readers}") -> list[dict[str, Any]]:
        """A query over what readers see."""
        return self.open().engine.query(sql.format(readers=READERS)).to_pylist()

    def visible_days(self) -> set[dt.date]:
        rows = self.readers("SELECT DISTINCT _book_date AS day FROM {readers}")
        return {row["day"] for row in rows}
