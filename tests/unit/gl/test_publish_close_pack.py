"""The domain's last step, and the commands: the close pack as files in the home and elsewhere."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_session import clearhouse
from gl_ledger import small_journal, write_marts

from clearhouse.gl.domain import GL
from clearhouse.gl.reports import formats
from clearhouse.gl.reports.step import publish_close_pack
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import load_settings

MARCH = [dt.date(2024, 3, day) for day in range(1, 32)]
JUNE = [dt.date(2024, 6, 1)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_marts(folder / "published.duckdb", small_journal())
    return folder


@pytest.fixture(scope="module")
def run(home: Path) -> Iterator[Run]:
    opened = open_run(GL, load_settings(_env_file=None, clearhouse_home=home))
    yield opened
    opened.engine.close()


def test_the_newest_period_of_the_days_has_a_pack_that_is_made_once(run: Run, home: Path) -> None:
    first = publish_close_pack(run, [dt.date(2024, 2, 10), *MARCH])
    folder = home / "reports" / "gl" / "2024-03"
    assert (len(first.done), first.exit_code) == (32, 0)
    assert first.files == [folder / "close-pack.pdf", folder / "close-pack.xlsx"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "close-pack.pdf", "close-pack.xlsx", "made-from.json",
    ]  # fmt: skip
    assert [path.name for path in folder.parent.iterdir()] == ["2024-03"]
    assert publish_close_pack(run, MARCH).skipped == MARCH
    made = (folder / "close-pack.pdf").read_bytes()
    (folder / "close-pack.pdf").write_bytes(made[:1000])
    assert publish_close_pack(run, MARCH).done == MARCH
    assert (folder / "close-pack.pdf").read_bytes() == made


def test_a_pack_that_is_there_is_made_again_for_late_lines_of_its_period(tmp_path: Path) -> None:
    readers, folder = tmp_path / "published.duckdb", tmp_path / "reports" / "gl"

    def opened() -> Run:
        return open_run(GL, load_settings(_env_file=None, clearhouse_home=tmp_path))

    write_marts(readers, small_journal())
    run = opened()
    publish_close_pack(run, [dt.date(2024, 2, 28)])
    before = (folder / "2024-02" / "close-pack.pdf").read_bytes()
    run.engine.close()

    journal = small_journal()
    late = [("7100", "500.00", ""), ("1010", "", "500.00")]
    journal.post(dt.date(2024, 2, 28), late, recorded_on=dt.date(2024, 3, 10))
    readers.unlink()
    write_marts(readers, journal)
    run = opened()
    run.publications.add("gl", {"gl.lines": {dt.date(2024, 3, 10): "entry"}}, run.run_id)
    assert publish_close_pack(run, [dt.date(2024, 3, 10)]).done == [dt.date(2024, 3, 10)]
    assert sorted(path.name for path in folder.iterdir()) == ["2024-02", "2024-03"]
    assert (folder / "2024-02" / "close-pack.pdf").read_bytes() != before
    run.engine.close()


def test_days_without_lines_are_skipped_and_so_is_all_without_the_extra(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert publish_close_pack(run, JUNE).skipped == JUNE
    monkeypatch.setattr(formats, "LIBRARIES", ("no_such_library",))
    january = [dt.date(2024, 1, 10)]
    assert publish_close_pack(run, january).skipped == january
    assert not (home / "reports" / "gl" / "2024-01").exists()


def test_commands_write_where_they_are_told_and_say_what_is_not_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gl(*args: str) -> tuple[int, str]:
        answer = clearhouse(tmp_path, "gl", *args, CLEARHOUSE_HOME=str(home))
        return answer.returncode, answer.stdout + answer.stderr

    assert gl("report", "--period", "2024-02", "--to", "html")[0] == 0
    assert "Fiscal period 2024-02" in (tmp_path / "close-pack-2024-02.html").read_text()
    code, told = gl("report", "--period", "2024-07")
    assert (code, "it has 2024-01 to 2024-03" in told) == (2, True)
    assert gl("export", "fec", "--year", "2024", "--siren", "123456789")[0] == 0
    assert (tmp_path / "123456789FEC20241231.txt").exists()
    code, told = gl("export", "csv", "--year", "2019", "--output", "sub/journal.csv")
    assert (code, "fiscal year 2019" in told) == (2, True)
    assert list((tmp_path / "sub").iterdir()) == []
    monkeypatch.setattr(formats, "LIBRARIES", ("no_such_library",))
    code, told = gl("report", "--period", "2024-02")
    assert (code, "clearhouse[reports]" in told) == (2, True)


def test_a_wrong_place_or_number_is_refused_in_a_sentence_of_its_own(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for command, output, told in [
        ("report --period 2024-02", ".", "not_writable: . can't be written: Is a directory."),
        ("export csv --year 2024", "file/x", "not_writable: file/x can't be written: Not a dir"),
        ("export fec --year 2024 --siren 12", "fec.txt", "bad_siren: '12' is no SIREN"),
    ]:
        answer = clearhouse(
            tmp_path, "gl", *command.split(), "--output", output, CLEARHOUSE_HOME=str(home)
        )
        assert (answer.returncode, answer.stderr[: len(told)]) == (2, told)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
