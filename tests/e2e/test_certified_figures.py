"""The commands beside a certificate: each gives each figure that is certified, by currency."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import pytest
from toy.booths import Booth
from toy.domain import ROOT, TICKETS, TOY
from toy_home import DAY, Toy

from clearhouse.pipeline.domain import Domain, Faults, Source
from clearhouse.pipeline.pull import close_landing
from clearhouse.settings import Settings

PRICES = {"USD": "4.50", "JPY": "85000", "KWD": "1.125", "EUR": "9007199254740.93"}
REJECTED = [
    b'{"number": 1, "booth": "north", "price": 1e2, "currency": "USD", SOLD}',
    b'{"number": 2, "booth": "nor\xff", "price": 7.25, "currency": "USD", SOLD}',
    b'{"number": 3, "booth": "north", "price": 4.5, "currency": "JPY", SOLD}',
    b'{"number": 4, "booth": "north", "price": 4.5, "currency": "ZZZ", SOLD}',
    b"",
]
"""No amount by its form, no text, no amount of its currency, no currency, no record."""
ACCEPTED = [
    b'{"number": %d, "booth": "north", "price": 6.125, "currency": "KWD", SOLD}' % number
    for number in range(11, 21)
]


class CoinBooth(Booth):
    """A booth that is paid in four currencies, and names them."""

    def _ticket(self, day: dt.date, n: int, price: str = "") -> str:
        currency = list(PRICES)[n % len(PRICES)]
        ticket = super()._ticket(day, n, price or PRICES[currency])
        return ticket.removesuffix("}") + f', "currency": "{currency}"}}'


def of_coins(source: Source) -> Source:
    @contextmanager
    def connect(_settings: Settings, faults: Faults) -> Iterator[Booth]:
        yield CoinBooth(source.name, faults)

    return replace(source, connect=connect)


def coins(contracts: Path) -> Domain:
    """The toy with a currency in each ticket."""
    text = (ROOT / "contracts" / "tickets.yaml").read_text()
    text = text.replace("decimal(15,2)", "decimal(17,3)").replace(
        ", {property: constant, value: EUR}]", "]"
    )
    text = text.replace(
        "{minimum: -10000, maximum: 10000}", "{minimum: -1.0e+14, maximum: 1.0e+14}"
    )
    contracts.mkdir()
    (contracts / "tickets.yaml").write_text(text)
    dataset = replace(TICKETS, sources=tuple(map(of_coins, TICKETS.sources)))
    return replace(TOY, datasets=(dataset,), contracts=contracts)


def test_each_command_gives_the_figures_that_are_certified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toy.domain.TOY", coins(tmp_path / "contracts"))
    toy = Toy(tmp_path / "home")
    assert toy.command("step", "toy", "extract_daily_batch", "--date", DAY).exit_code == 0
    run = toy.open()
    lines = b"".join(line + b"\n" for line in REJECTED + ACCEPTED)
    sold = b'"sold_at": "%sT08:00:00"' % str(DAY).encode()
    run.landing.put("north", DAY, lines.replace(b"SOLD", sold), {"late": True})
    close_landing(run, run.dataset(), "north", [DAY])
    assert toy.run(DAY).exit_code == 0

    closed = json.loads(toy.command("close", "toy", "--date", DAY, "--json").stdout)

    certified = {hop["hop"]: hop["totals"] for hop in closed["certificate"]["hops"]}
    bronze = certified["landing → bronze"]
    assert bronze["in"]["records"] == 40 + len(REJECTED + ACCEPTED)
    assert bronze["rejected"] == {**bronze["rejected"], "records": 5, "minor:USD": 725}
    assert {f"minor:{currency}" for currency in PRICES} < set(bronze["out"])
    figures = {}
    for told in closed["commands"]:
        hop, _, side = told["figure"].partition(": ")
        figures[told["figure"]] = found = toy.figures(told["command"])
        assert {"hash": ANY, **found} == certified[hop][side], told
    assert list(figures) == [
        "landing → bronze: in",
        "landing → bronze: out",
        "landing → bronze: rejected",
        "silver → gold: out",
    ]
    assert [name for name, found in figures.items() if "hash" in found] == [
        "landing → bronze: out",
        "silver → gold: out",
    ]
    assert all("records" in found for found in figures.values())
