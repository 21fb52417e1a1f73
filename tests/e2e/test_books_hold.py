"""A published window balances; whatever is done behind the books' back is named, and mended."""

import datetime as dt
import itertools

import pyarrow.parquet as pq
import pytest
from bnpl_home import DAY, Warehouse

from clearhouse.bnpl.domain import TRANSACTIONS
from clearhouse.books.model import Side, Status
from clearhouse.cli.report import finding_lines
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.tamper import tamper

DATASET = "bnpl.transactions"
GOLD, SILVER = TRANSACTIONS.gold, TRANSACTIONS.silver


def test_every_hop_of_every_day_balances(published: Warehouse) -> None:
    audited = published.audit()

    assert {e.status for e in audited.entries} == {Status.BALANCED}
    assert len(audited.entries) == 5 * 3
    landed = sum(e.totals[Side.OUT].records for e in audited.entries[:3])
    assert landed > 300
    assert published.readers() == [{"n": landed}]


def test_out_of_a_hop_is_in_of_the_next(published: Warehouse) -> None:
    totals = published.totals()
    hops = list(dict.fromkeys(hop for hop, _ in totals))
    for before, after in itertools.pairwise(hops):
        for hop, day in totals:
            if hop == before:
                assert totals[hop, day]["out"] == totals[after, day]["in"]


def test_a_second_run_skips_everything(published: Warehouse) -> None:
    before = published.totals()

    report = published.run(DAY, DAY + dt.timedelta(days=2))

    built = [name for name in report.steps if name != "validate_business_rules"]
    assert all(not report.steps[name].done for name in built)
    assert published.totals() == before


@pytest.mark.parametrize(
    ("kind", "count", "sign"),
    [
        ("steal", 3, "−1 record"),
        ("double", 2, "+1 record"),
        ("change", 2, "became"),
    ],
)
def test_tampering_with_gold_is_named_to_the_cent_and_mended(
    published: Warehouse, kind: str, count: int, sign: str
) -> None:
    run = published.open()
    before = published.totals()
    victims = run.engine.query(
        f"SELECT transaction_id, amount FROM {GOLD} ORDER BY _record_id LIMIT {count}"
    ).to_pylist()

    assert tamper(run, kind, count) == count
    run.engine.close()
    findings = published.audit().findings

    lines = [line for finding in findings for line in finding_lines(finding)]
    assert len(lines) == count
    for victim in victims:
        (line,) = [text for text in lines if victim["transaction_id"] in text]
        assert line.startswith(f"{HopNames.gold}, ")
        assert sign in line
        assert str(victim["amount"]) in line

    published.run(DAY, DAY + dt.timedelta(days=2))
    assert published.totals() == before


def test_a_row_stolen_from_silver_is_found_between_bronze_and_silver(published: Warehouse) -> None:
    before = published.totals()
    published.open().engine.execute(
        f"DELETE FROM {SILVER} WHERE rowid = (SELECT min(rowid) FROM {SILVER})"
    )

    hops = {f.entry.key.hop for f in published.audit().findings}
    assert hops == {HopNames.silver, HopNames.gold}

    published.run(DAY, DAY + dt.timedelta(days=2))
    assert published.totals() == before


def test_a_row_stolen_from_bronze_is_found_and_rebuilt_from_landing(published: Warehouse) -> None:
    before = published.totals()
    lake = published.open().lake
    (file,) = lake.files(DATASET, [DAY])
    rows = pq.read_table(file, partitioning=None)
    lake.replace_days(DATASET, rows.slice(1), {DAY: lake.entries(DATASET)[DAY]})

    first = published.audit().findings[0]
    assert (first.entry.key.hop, first.entry.key.book_date) == (HopNames.bronze, DAY)
    assert [n.record_id for n in first.named] == [rows["_record_id"][0].as_py()]

    published.run(DAY, DAY + dt.timedelta(days=2))
    assert published.totals() == before
