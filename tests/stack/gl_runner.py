"""Serves the general ledger, to be killed: `python gl_runner.py PORT STORE`."""

import datetime as dt
from argparse import ArgumentParser

import uvicorn
from gl_service import Time, options

from clearhouse.core.urls import SecretUrl
from clearhouse.gl.service.app import create_app
from clearhouse.gl.service.feed import sandbox_ledger
from clearhouse.gl.service.service import utc_now


class Moving(Time):
    """A clock that goes as fast as the machine's, so many seconds from it."""

    def __init__(self, seconds: float) -> None:
        self._ahead = dt.timedelta(seconds=seconds)

    def __call__(self) -> dt.datetime:
        return utc_now() + self._ahead


def main() -> None:
    """Serve the tiny ledger at a time that stands, or the generated one at a time that goes on."""
    parser = ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("store")
    parser.add_argument("--redis")
    parser.add_argument("--ahead", type=float)
    given = parser.parse_args()
    is_file = given.store.startswith("sqlite")
    store = given.store if is_file else SecretUrl.parse(given.store, ("postgresql",))
    moving = {"clock": Moving(given.ahead), "make": sandbox_ledger} if given.ahead else {}
    wanted = options(
        store=store, redis_url=given.redis, interval_seconds=0.5, days=12, **moving
    )  # fmt: skip
    uvicorn.run(
        create_app(wanted), port=given.port, log_level="error", timeout_graceful_shutdown=2
    )  # fmt: skip


if __name__ == "__main__":
    main()
