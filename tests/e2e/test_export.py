"""What is exported is what bronze holds, file by file, and the books say so when it is not."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from retail_home import Shops, Urls, retailers, with_faults

from clearhouse.books.model import Side
from clearhouse.core.errors import ExitCode, SettingsError
from clearhouse.core.window import Window
from clearhouse.pipeline.runner import RunReport, run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.retail.retailers import RETAILERS
from clearhouse.settings import load_settings

NEW_YEAR, USUAL, OUTAGE, HELD = (dt.date(2024, 1, day) for day in (1, 2, 3, 4))
NAMES = [retailer.name for retailer in RETAILERS]
RENAMED = {HELD: ("renamed_field",)}
RAW, COLUMNAR = "bronze → json", "bronze → parquet"


@pytest.fixture(scope="module")
def healthy() -> Iterator[Urls]:
    with retailers(with_faults(RENAMED)) as urls:
        yield urls


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder at EXPORT_URL."""
    folder = tmp_path_factory.mktemp("out") / "an export"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORT_URL", folder.as_uri())
        yield folder


@pytest.fixture(scope="module")
def shops(out: Path, healthy: Urls, tmp_path_factory: pytest.TempPathFactory) -> Shops:
    """A day without sales, a usual one, one on which retailer_2 is down, and one that is held."""
    shops = Shops(tmp_path_factory.mktemp("shops") / "home")
    down = with_faults({**RENAMED, OUTAGE: ("down",)})
    with retailers(retailer_2=down) as broken:
        export(shops, {**healthy, "retailer_2": broken["retailer_2"]}, NEW_YEAR, HELD)
    return shops


def export(
    shops: Shops, urls: Urls, first: dt.date, last: dt.date | None = None, *, refresh: bool = False
) -> RunReport:
    """The steps up to bronze, with which the export ends."""
    run = shops.open(urls, refresh=refresh)
    try:
        return run_steps(STEPS[:2], run, Window(first, last or first), run_id=run.run_id)
    finally:
        run.engine.close()


def raw(out: Path, name: str, day: dt.date) -> Path:
    return out / f"raw/{name}/year=2024/month=01/day={day:%d}/sales_data.json"


def columnar(out: Path, name: str, day: dt.date) -> Path:
    return out / f"columnar/{name}/year=2024/month=01/day={day:%d}/sales_data.parquet"


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]


def written(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def findings(shops: Shops) -> list[str]:
    answer = shops.command("books", "--domain", "retail", "--json")
    found: list[str] = json.loads(answer.stdout)["findings"]
    assert answer.exit_code == (ExitCode.UNBALANCED if found else ExitCode.HELD)
    return found


def test_each_retailer_that_answered_has_files_and_a_held_day_has_none(
    shops: Shops, out: Path
) -> None:
    answered = [
        (name, day)
        for name in NAMES
        for day in (NEW_YEAR, USUAL, OUTAGE)
        if (name, day) != ("retailer_2", OUTAGE)
    ]
    expected = [place(out, *each) for each in answered for place in (raw, columnar)]
    assert written(out).keys() == set(expected)
    for name in NAMES:
        assert raw(out, name, NEW_YEAR).read_bytes() == b""
        assert pq.read_table(columnar(out, name, NEW_YEAR)).num_rows == 0
    assert findings(shops) == []


def test_both_files_hold_the_accepted_records_with_every_digit(shops: Shops, out: Path) -> None:
    run = shops.open()
    (entry,) = run.books.current(run.name, "landing → bronze", [USUAL])
    run.engine.close()
    entered = dict(entry.totals[Side.OUT].measures)
    for name in NAMES:
        text = raw(out, name, USUAL).read_text()
        lines = records(raw(out, name, USUAL))
        rows = pq.read_table(columnar(out, name, USUAL)).to_pylist()
        assert len(lines) == len(rows) > 0
        for line, row in zip(lines, rows, strict=True):
            times = ("sold_at", "_book_date")
            assert line | dict.fromkeys(times) == row | dict.fromkeys(times)
            assert [line[t] for t in times] == [str(row[t]) for t in times]
            assert f'"total_amount":{row["total_amount"]},' in text
        entered["records"] -= len(rows)
        entered["minor:USD"] -= int(100 * sum(row["total_amount"] for row in rows))
    assert (entered["records"], entered["minor:USD"]) == (0, 0)


def test_a_day_is_written_again_when_it_is_made_of_something_else_and_only_then(
    shops: Shops, out: Path, healthy: Urls
) -> None:
    before = written(out)
    assert export(shops, healthy, NEW_YEAR, USUAL).exit_code is ExitCode.DONE
    assert written(out) == before

    assert export(shops, healthy, OUTAGE).exit_code is ExitCode.DONE
    late = {place(out, "retailer_2", OUTAGE) for place in (raw, columnar)}
    assert written(out) == before | {path: path.stat().st_mtime_ns for path in late}

    with retailers(with_faults({USUAL: ("restated",)})) as corrected:
        assert export(shops, corrected, USUAL, refresh=True).exit_code is ExitCode.DONE
    changed = {path for path, at in written(out).items() if before.get(path) != at} - late
    assert changed == {place(out, name, USUAL) for name in NAMES for place in (raw, columnar)}
    both = records(raw(out, "retailer_1", USUAL))
    assert {line["_object_version"] for line in both} == {1, 2}
    assert findings(shops) == []


@pytest.mark.parametrize(("place", "hop"), [(raw, RAW), (columnar, COLUMNAR)])
def test_an_export_that_was_edited_or_is_gone_is_named_and_mended_by_a_run(
    shops: Shops, out: Path, healthy: Urls, place: Any, hop: str
) -> None:
    path = place(out, "retailer_3", USUAL)
    whole = path.read_bytes()
    if place is raw:
        (line, *_) = records(path)
        old = f'"total_amount":{line["total_amount"]},'
        path.write_text(path.read_text().replace(old, '"total_amount":0.01,', 1))
    else:
        rows = pq.read_table(path)
        (line, *_) = rows.to_pylist()
        quantity = rows.column_names.index("quantity")
        changed = [99, *rows["quantity"].to_pylist()[1:]]
        pq.write_table(rows.set_column(quantity, "quantity", [changed]), path)

    (found,) = findings(shops)
    assert found.startswith(f"{hop}, {USUAL}: ")
    assert line["_record_key"] in found

    path.unlink()
    told = findings(shops)
    assert told[0].startswith(f"{hop}, {USUAL}: −")
    assert all("retailer_3|" in each for each in told if "record" in each and "more" not in each)

    path.write_bytes(b"no such format\n")
    (found,) = findings(shops)
    assert f"day={USUAL:%d}/{path.name} can't be read" in found

    assert export(shops, healthy, USUAL).exit_code is ExitCode.DONE
    assert path.read_bytes() == whole
    assert findings(shops) == []


def test_exports_lie_elsewhere_than_what_landed(tmp_path: Path) -> None:
    place = (tmp_path / "landing").as_uri()
    with pytest.raises(SettingsError, match="EXPORT_URL is what LANDING_URL is"):
        load_settings(_env_file=None, landing_url=place, export_url=f"{place}/")


def test_a_record_is_traced_when_nothing_is_exported_any_more(
    shops: Shops, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = records(raw(out, "retailer_1", USUAL))[0]["sale_id"]
    monkeypatch.delenv("EXPORT_URL")
    answer = shops.command("trace", sale, "--domain", "retail", "--json")
    assert answer.exit_code == ExitCode.DONE, answer.output
    hops = [entry["hop"] for entry in json.loads(answer.stdout)[0]["entries"]]
    assert "landing → bronze" in hops
    assert not {RAW, COLUMNAR} & {*hops}
