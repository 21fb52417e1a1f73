"""Two booths of which one names things otherwise, and both sell one ticket on two lines."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from programs import REPOSITORY
from toy.booths import Booth
from toy.domain import ROOT, TICKETS, TOY
from toy_home import DAYS, Toy
from toy_home import TICKETS as READERS

from clearhouse.pipeline.domain import Domain, Faults, Source
from clearhouse.pipeline.tamper import tamper
from clearhouse.settings import Settings

BROKEN, WHOLE = DAYS[:2]
SOUTHERN = {b'"tickets"': b'"sold"', b'"number"': b'"nr"', b'"price"': b'"fee"'}


class DoublingBooth(Booth):
    """A booth that sells its second ticket twice; the one in the south has names of its own."""

    def _answer(self, day: dt.date) -> bytes:
        is_broken = self.name == "south" and "unreadable" in self._kinds(day)
        again = self._ticket(day, 1, '"free"' if is_broken else "")
        answer = super()._answer(day).removesuffix(b"]}") + f", {again}]}}".encode()
        for ours, theirs in SOUTHERN.items() if self.name == "south" else ():
            answer = answer.replace(ours, theirs)
        return answer


def doubling(source: Source) -> Source:
    @contextmanager
    def connect(_settings: Settings, faults: Faults) -> Iterator[Booth]:
        yield DoublingBooth(source.name, faults)

    return replace(source, connect=connect)


def two_ways(contracts: Path) -> Domain:
    """The toy with a name for each booth, and an ordinal in its key."""
    text = (ROOT / "contracts" / "tickets.yaml").read_text()
    by_booth = "{{property: {}, value: {{north: {}, south: {}}}}}".format
    number, price = by_booth("sources", "number", "nr"), by_booth("sources", "price", "fee")
    rows = by_booth("rows_under", "tickets", "sold")
    for before, after in [
        ("{property: rows_under, value: tickets}", rows + ", {property: repeats, value: true}"),
        ("primaryKeyPosition: 1}", f"primaryKeyPosition: 1, customProperties: [{number}]}}"),
        ("{property: books, value: amount}", f"{{property: books, value: amount}}, {price}"),
    ]:
        assert before in text
        text = text.replace(before, after)
    contracts.mkdir()
    (contracts / "tickets.yaml").write_text(text)
    dataset = replace(TICKETS, sources=tuple(map(doubling, TICKETS.sources)))
    return replace(TOY, datasets=(dataset,), contracts=contracts)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    """A day on which that ticket is broken, in the south both lines of it, and a whole day."""
    folder = tmp_path_factory.mktemp("toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toy.domain.TOY", two_ways(folder / "contracts"))
        toy = Toy(folder / "home")
        faults = ["--fault", f"{BROKEN}=unreadable"]
        answer = toy.command("run", "toy", "--from", BROKEN, "--to", WHOLE, *faults)
        assert answer.exit_code == 0, answer.stderr + answer.stdout
        yield toy


def data(toy: Toy, *args: object) -> Any:
    answer = toy.command(*args, "--json")
    assert answer.exit_code == 0, answer.stderr + answer.stdout
    return json.loads(answer.stdout)


def prices(toy: Toy, number: str) -> list[tuple[str, str]]:
    sql = f"SELECT _record_key, price::VARCHAR FROM {READERS} WHERE number = {number} ORDER BY 1"
    return [(key, price) for key, price in toy.read(sql)]


def test_both_lines_count_and_are_the_same_lines_when_they_come_again(toy: Toy) -> None:
    assert toy.visible() == {BROKEN: 39, WHOLE: 42}
    again = toy.command("run", "toy", "--from", WHOLE, "--to", WHOLE, "--refresh")
    assert again.exit_code == 0, again.stderr
    assert toy.visible()[WHOLE] == 42
    booths = f"SELECT booth, count(*) FROM {READERS} WHERE _book_date = '{WHOLE}' GROUP BY 1"
    assert sorted(toy.read(booths)) == [("north", 21), ("south", 21)]


def test_a_corrected_line_stays_the_line_that_it_was(toy: Toy) -> None:
    rows = data(toy, "quarantine", "list", "--domain", "toy")
    south = sorted((r for r in rows if "south" in r["object"]), key=lambda r: r["record_key"])
    number = south[0]["record_key"].removesuffix("|1")
    assert [r["record_key"] for r in south] == [f"{number}|1", f"{number}|2"]
    assert south[0]["raw"] == south[1]["raw"]
    shown = data(toy, "quarantine", "show", number, "--domain", "toy")
    assert [r["record_id"] for r in shown] == [r["record_id"] for r in south]

    for row, seen in zip(reversed(south), (["2"], ["1", "2"]), strict=True):
        redrive = ["quarantine", "redrive", "--domain", "toy", "--id", row["record_id"]]
        answer = toy.command(*redrive, "--set", "fee=4.50")
        assert answer.exit_code == 0, answer.stderr + answer.stdout
        assert prices(toy, number) == [(f"{number}|{nth}", "4.50") for nth in seen]

    assert toy.command("books", "--domain", "toy").exit_code == 0
    assert toy.visible()[BROKEN] == 41
    traced = data(toy, "trace", number, "--domain", "toy")
    assert [(each["is_visible"], json.loads(each["raw"])["fee"]) for each in traced] == [
        (True, 4.5), (True, 4.5), (False, "free"), (False, "free"),
    ]  # fmt: skip
    assert len(data(toy, "trace", f"{number}|2", "--domain", "toy")) == 2


def test_a_line_that_gets_its_key_by_the_correction_comes_after_the_others(toy: Toy) -> None:
    """And it stays the same line when it is corrected again."""
    run = toy.open()
    ticket = json.loads(data(toy, "trace", _healthy(toy), "--domain", "toy")[0]["raw"])
    number, price = ticket["nr"], ticket["fee"]
    broken = json.dumps({**ticket, "nr": "?"}).encode()
    run.landing.put("south", WHOLE, broken + b"\n", {"late": True})
    assert toy.command("step", "toy", "validate_raw_schema", "--date", WHOLE).exit_code == 0
    (row,) = data(toy, "quarantine", "list", "--domain", "toy", "--date", WHOLE)
    assert row["record_key"] == "|1"

    for fee in ("1.25", "1.75"):
        redrive = ["quarantine", "redrive", "--domain", "toy", "--id", row["record_id"]]
        answer = toy.command(*redrive, "--set", f"nr={number}", "--set", f"fee={fee}")
        assert answer.exit_code == 0, answer.stderr + answer.stdout
        assert prices(toy, number) == [(f"{number}|1", f"{price:.2f}"), (f"{number}|2", fee)]


def _healthy(toy: Toy) -> str:
    sql = f"SELECT max(number) FROM {READERS} WHERE _book_date = '{WHOLE}' AND booth = 'south'"
    return str(toy.read(sql)[0][0])


def test_a_closed_day_is_recomputed_proved_and_derived_again(toy: Toy) -> None:
    closed = data(toy, "close", "toy", "--date", BROKEN)
    certified = {hop["hop"]: hop["totals"] for hop in closed["certificate"]["hops"]}
    told = {each["figure"]: each["command"] for each in closed["commands"]}
    assert list(told)[:3] == [
        "north → landing: out",
        "south → landing: out",
        "landing → bronze: out",
    ]
    for figure, command in told.items():
        hop, _, side = figure.partition(": ")
        assert {"hash": ANY, **toy.figures(command)} == certified[hop][side], figure

    key = toy.read(f"SELECT max(_record_key) FROM {READERS} WHERE _book_date = '{BROKEN}'")[0][0]
    proof = toy.home / "proof.json"
    assert toy.command("prove", "toy", key, "--out", proof).exit_code == 0
    program = [sys.executable, str(REPOSITORY / "verify_proof.py"), str(proof)]
    assert subprocess.run(program, capture_output=True, check=False).returncode == 0

    answer = toy.command("verify", "toy")
    assert answer.exit_code == 0, answer.stdout + answer.stderr


def test_a_line_that_is_taken_away_is_named_by_its_whole_key(toy: Toy) -> None:
    assert tamper(toy.open(), "steal", 1) == 1

    books = toy.command("books", "--domain", "toy")

    assert books.exit_code != 0
    (name,) = set(re.findall(r"−1 record, −[0-9.]+ EUR: (\S+)", books.stdout))
    assert re.fullmatch(r"[0-9]+\|[12]", name)
    assert name in {
        each["bronze"]["_record_key"] for each in data(toy, "trace", name, "--domain", "toy")
    }
