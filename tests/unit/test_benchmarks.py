"""The benchmarks' harness: it measures in processes of their own, and does not compare unlike."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.jobs import BenchmarkError
from benchmarks.parts import PARTS, load
from benchmarks.rounds import Case, Measured
from benchmarks.summary import summary

OF_THE_BOOKS = ("books measured", "books recorded", "journal", "books asked", "bronze compared")
STEPS = dict.fromkeys(
    ("extract_daily_batch", "validate_raw_schema", "validate_business_rules", "raw gate", "dbt"),
    1.0,
)


def measured(part: str, seconds: float, digest: str = "same") -> Measured:
    return Measured(
        case=Case(part, 3),
        seconds=seconds,
        cpu_seconds=seconds,
        child_cpu_seconds=0.0,
        peak_rss_bytes=1 << 30,
        ready_seconds=0.0,
        records=1_000,
        payload_bytes=1_000_000,
        phases={"load": seconds / 2},
        content={"mart": digest},
        calibration_seconds=(0.1, 0.1),
    )


def test_a_part_is_measured_and_all_of_it_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"

    asked = ["--days", "1", "--rounds", "2", "--only", "sandbox_make"]
    code = main([*asked, "--work", str(tmp_path), "--json", str(kept)])

    assert code == 0
    assert "sandbox_make" in capsys.readouterr().out
    document = json.loads(kept.read_text())
    (figure,) = document["figures"]
    assert figure["records"] > 5_000
    assert len(figure["seconds"]) == 2
    assert all(m["calibration_seconds"][0] > 0 for m in document["measurements"])
    assert list(tmp_path.iterdir()) == [kept]


def test_medians_are_compared_and_promises_judged() -> None:
    ours = [measured("clearhouse", seconds) for seconds in (1.0, 2.0, 9.0)]
    peer = [measured("dlt_arrow", seconds) for seconds in (1.0, 1.0, 50.0)]

    found = summary([*ours, *peer])

    assert found.ratios["dlt_arrow, 3 days, to the marts"] == 0.5
    (promise,) = found.promises
    assert (promise.value, promise.bound, promise.is_kept) == (0.5, 1, False)


def test_a_night_is_held_against_its_bounds() -> None:
    nights = [
        replace(measured("night", seconds), case=Case("night", days))
        for days, seconds in ((7, 6.0), (365, 9.0))
    ]
    phases = dict.fromkeys(OF_THE_BOOKS, 0.5)
    within = replace(measured("night_phases", 10.0), phases=phases)

    found = summary([*nights, within])

    kept = {promise.name: promise.is_kept for promise in found.promises}
    assert kept == {
        "one more day after 365 days, in times of after 7": False,
        "one more day after 3 days: bronze compared, % of the run": True,
        "one more day after 365 days, s": True,
    }


def test_what_the_books_take_of_a_run_is_stated_part_by_part() -> None:
    phases = {**dict.fromkeys(OF_THE_BOOKS, 0.5), "books measured": 1.0, "journal": 0.2}
    year = replace(measured("pipeline", 10.0), phases={**STEPS, **phases})

    found = summary([year]).shares

    assert found == {
        "pipeline, 3 days, books measured": 10,
        "pipeline, 3 days, entries": 3,
        "pipeline, 3 days, journal": 2,
        "pipeline, 3 days, books asked": 5,
        "pipeline, 3 days, bronze compared": 5,
        "pipeline, 3 days, the books in all": 25,
    }


def test_sides_that_made_different_marts_are_not_compared() -> None:
    ours = measured("clearhouse", 1.0)
    peer = replace(measured("dlt_arrow", 5.0), content={"mart": "other"})

    with pytest.raises(BenchmarkError, match="made"):
        summary([ours, peer])


def test_lists_of_the_general_ledger_are_held_beside_the_plain_way() -> None:
    def pages(part: str, seconds: float, where: str) -> Measured:
        content = {f"lines of {where} pages": where}
        return replace(measured(part, seconds), content=content)

    found = summary(
        [
            measured("clearhouse", 1.0),  # of as many days, and nothing to compare with
            pages("gl_list_first", 2.0, "first"),
            pages("gl_orm_first", 3.0, "first"),
            pages("gl_list_deep", 2.0, "deep"),
            pages("gl_orm_deep", 40.0, "deep"),
        ]
    )

    assert found.ratios == {"gl_orm_first, 3 days": 1.5, "gl_orm_deep, 3 days": 20.0}
    other = replace(measured("gl_orm_first", 1.0), content={"lines of first pages": "others"})
    with pytest.raises(BenchmarkError, match="gl_list_first made"):
        summary([pages("gl_list_first", 1.0, "first"), other])


def test_the_proof_of_a_ledger_is_held_against_its_bound_when_it_is_large() -> None:
    large = replace(measured("gl_balance", 6.0), records=10_000_000)
    export = replace(measured("gl_export_ndjson", 4.0), phases={"first byte": 0.1})

    found = summary([measured("gl_make", 0.01), large, export])

    kept = {promise.name: promise.is_kept for promise in found.promises}
    assert kept == {
        "3 days of the general ledger made, lines a minute": False,
        "proof that 10,000,000 lines balance, s": False,
    }
    assert found.waits["gl_export_ndjson, 3 days, first byte"] == 0.1
    assert not summary([measured("gl_balance", 6.0)]).promises


def test_a_ledger_of_some_days_is_proved_and_its_service_exports_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"

    asked = ["--days", "3", "--rounds", "1", "--only", "gl_balance", "gl_export_ndjson"]
    code = main([*asked, "--work", str(tmp_path), "--json", str(kept)])

    assert code == 0
    proved, exported = json.loads(kept.read_text())["figures"]
    assert proved["records"] % exported["records"] == 0


def test_each_part_is_where_its_name_says() -> None:
    assert all(callable(load(name)) for name in PARTS)
