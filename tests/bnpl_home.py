"""One BNPL warehouse in a folder of its own, as tests handle it."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearhouse.bnpl.domain import BNPL
from clearhouse.bnpl.source import SIMTOM, SimtomConnection, pattern_of
from clearhouse.books.audit import Audit
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.runner import RunReport, run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.settings import Settings, load_settings

DAY = dt.date(2024, 1, 2)
BASE_DAILY_VOLUME = 150
QUICK = HttpPolicy(attempts=2, wait_initial_seconds=0.01, wait_max_seconds=0.02)
READERS = "marts.mart_bnpl_transactions"


@dataclass
class Warehouse:
    """One CLEARHOUSE_HOME, and the source it pulls from."""

    home: Path
    url: str
    ask_by: str = "day"
    base_daily_volume: int = BASE_DAILY_VOLUME
    seed: int = 42

    def settings(self) -> Settings:
        return load_settings(
            _env_file=None,
            clearhouse_home=self.home,
            bnpl_api_url=self.url,
            bnpl_base_daily_volume=self.base_daily_volume,
            bnpl_ask_by=self.ask_by,
            bnpl_seed=self.seed,
        )

    def open(self, *, refresh: bool = False) -> Run:
        settings = self.settings()
        # One name for every sandbox: a source that changes its mind stays the same source.
        simtom = SimtomConnection(
            "test", "", lambda: self.url, pattern_of(settings), self.ask_by, QUICK
        )
        return open_run(BNPL, settings, {SIMTOM: simtom}, refresh=refresh)

    def run(
        self, first: dt.date, last: dt.date | None = None, *, refresh: bool = False
    ) -> RunReport:
        run = self.open(refresh=refresh)
        window = Window(first, last or first)
        try:
            return run_steps(STEPS, run, window, run_id=run.run_id)
        finally:
            run.engine.close()

    def audit(self) -> Audit:
        run = self.open()
        try:
            return audit_days(run)
        finally:
            run.engine.close()

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
        run = self.open()
        answer = run.engine.query_readers(READERS, sql.format(readers=READERS))
        run.engine.close()
        return answer.to_pylist() if answer is not None else []

    def visible_days(self) -> set[dt.date]:
        rows = self.readers("SELECT DISTINCT _book_date AS day FROM {readers}")
        return {row["day"] for row in rows}
