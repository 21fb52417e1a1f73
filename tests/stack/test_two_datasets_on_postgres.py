"""A domain of two datasets, and energy prices, are on PostgreSQL what they are in files."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from clearhouse.domains import DOMAINS
from stack.server import Server
from stack.two_engines import Home, TwoHomes

FIRST, NEXT = dt.date(2024, 1, 9), dt.date(2024, 1, 10)
HELD = {"fair": "kitchen.negative", "gl": "eia_petroleum.hundredfold"}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with patch.dict(DOMAINS, {"fair": "fair.domain:FAIR"}):
        yield


def two_homes(domain: str, folder: Path, url: str) -> TwoHomes:
    """Homes of a domain in files, and in the database of a URL."""
    server = Home(folder / "server", domain, {"ENGINE_URL": url})
    return TwoHomes(Home(folder / "embedded", domain), server)


@pytest.mark.parametrize("domain", HELD)
def test_both_engines_hold_the_same_of_every_dataset(
    domain: str, tmp_path: Path, server: Server
) -> None:
    homes = two_homes(domain, tmp_path, server.database(domain))
    ran = homes.both(lambda home: home.run(FIRST, NEXT, f"{NEXT}={HELD[domain]}"))
    assert [each.exit_code for each in ran] == [3, 3], [each.output for each in ran]
    assert list(homes.differences()) == []

    released = homes.both(lambda h: h.command("release", domain, "--date", NEXT, "--reason", "ok"))
    assert [each.exit_code for each in released] == [0, 0], released[1].exception
    assert list(homes.differences()) == []
    back = homes.both(lambda h: h.command("rollback", domain, "--to", 1, "--reason", "not ok"))
    assert [each.exit_code for each in back] == [0, 0], back[1].exception
    assert list(homes.differences()) == []
    embedded, on_server = homes.books()
    assert embedded == on_server
    verified = homes.server.command("verify", domain)
    assert verified.exit_code == 0, verified.output


def test_one_dataset_alone_is_published_before_the_other_has_begun(
    tmp_path: Path, server: Server
) -> None:
    homes = two_homes("fair", tmp_path, server.database("fair_of_meals"))
    steps = ("sell_meals", "add_up", "tell", "sell_tickets", "add_up", "tell")
    codes = [
        [
            home.command("step", "fair", step, "--date", FIRST).exit_code
            for home in (homes.embedded, homes.server)
        ]
        for step in steps
    ]
    assert codes == [[0, 0], [1, 1], [1, 1], [0, 0], [0, 0], [0, 0]]
    assert list(homes.differences()) == []
