"""Engines on servers, whose drivers need not be installed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from clearhouse.core.errors import SettingsError
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.engine import Engine

_DRIVERS = ("psycopg", "dbt.adapters.postgres")


def engine_on_server(
    url: SecretUrl, variable: str, set_up: Sequence[str], *, reads_only: bool
) -> Engine:
    """The engine at a URL; see `engines.postgres.engine`.

    Raises:
        SettingsError: its driver is not installed (driver_missing).
    """
    _check_driver()
    from clearhouse.engines.postgres.engine import PostgresEngine

    return PostgresEngine(url, variable, set_up, reads_only=reads_only)


@contextmanager
def only_run_on_server(
    place: Path | SecretUrl, domain: str, *, on_wait: Callable[[], None]
) -> Iterator[None]:
    """Be the only run of a domain on its engine, on whichever host; nothing for a file.

    Raises:
        StoreError: another run is still at work (run_under_way).
        ServerError: the server can't be reached.
    """
    if isinstance(place, Path):
        yield
        return
    _check_driver()
    from clearhouse.engines.postgres.connection import only_run

    with only_run(place, domain, on_wait=on_wait):
        yield


def _check_driver() -> None:
    if not all(map(_is_there, _DRIVERS)):
        raise SettingsError(
            "ENGINE_URL=postgresql://… needs drivers that are not installed: install Clearhouse "
            "with the extra `postgres`, as in `pip install 'clearhouse[postgres]'`.",
            "driver_missing",
        )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
