"""Programs and data of the native stack are there whole, or not at all."""

import sys
from pathlib import Path

import pytest

from deploy.native.fetch import cached, run
from deploy.native.place import Place, StackError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def half_done(folder: Path) -> None:
    (folder / "half").write_text("")
    raise StackError("the registry went away")


def whole(folder: Path) -> None:
    (folder / "program").write_text("")


def test_a_fetch_that_failed_is_done_again_and_one_that_succeeded_is_not() -> None:
    with pytest.raises(StackError):
        cached("server-1", half_done)

    folder = cached("server-1", whole)

    assert [file.name for file in folder.iterdir()] == ["program"]
    assert cached("server-1", half_done) == folder


def test_data_that_was_half_made_is_made_again(tmp_path: Path) -> None:
    place = Place(tmp_path, 1, tmp_path, {})
    with pytest.raises(StackError):
        place.make_data(half_done)
    assert not place.data.exists()

    place.make_data(whole)
    place.make_data(half_done)

    assert [file.name for file in place.data.iterdir()] == ["program"]


def test_a_command_that_fails_says_its_last_words_and_where_the_others_are(cache: Path) -> None:
    words = "print('downloading'); print('no such module'); raise SystemExit(1)"

    with pytest.raises(StackError, match=r"building: failed \(no such module\)") as failed:
        run("building", [sys.executable, "-c", words])

    log = Path(str(failed.value).rpartition(" ")[2].rstrip("."))
    assert log.is_relative_to(cache)
    assert log.read_text().splitlines() == ["downloading", "no such module"]
