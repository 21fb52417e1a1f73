import datetime as dt
import json
import os
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from shutil import which

import pyarrow as pa
import pytest
from obstore.store import MemoryStore

from clearhouse.core.contract import PayloadFormat
from clearhouse.core.errors import SettingsError, StoreError, UsageError
from clearhouse.core.window import Window
from clearhouse.landing import Counted, Landing
from clearhouse.landing.folder import ObjectFolder

DAY = dt.date(2024, 3, 9)
NOON = dt.datetime(2024, 3, 10, 12, tzinfo=dt.UTC)
REQUEST = {"path": "/stream/bnpl", "json": {"seed": 42}}
FIRST = b'{"n": 1}\n{"n": 2, "text": "\r\xff"}\n'
CORRECTED = b'{"n": 1}\n{"n": 3}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "a landing"


@pytest.fixture
def landing(root: Path) -> Landing:
    return Landing(ObjectFolder.from_url(root.as_uri()), now=lambda: NOON)


def files(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_an_object_lies_beside_its_manifest_and_gives_back_every_byte(
    landing: Landing, root: Path
) -> None:
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    stem = f"raw/simtom/year=2024/month=03/day=09/0001-{sha256(FIRST).hexdigest()[:12]}"
    stored = files(root)
    assert stored.keys() == {f"{stem}.ndjson.zst", f"{stem}.manifest.json"}
    stored_object = stored[f"{stem}.ndjson.zst"]
    manifest = stored[f"{stem}.manifest.json"]
    fields = {
        "source": "simtom",
        "book_date": "2024-03-09",
        "version": 1,
        "key": f"{stem}.ndjson.zst",
        "records": 2,
        "payload_bytes": len(FIRST),
        "payload_sha256": sha256(FIRST).hexdigest(),
        "object_bytes": len(stored_object),
        "object_sha256": sha256(stored_object).hexdigest(),
        "request": REQUEST,
        "landed_at": "2024-03-10T12:00:00+00:00",
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert manifest.decode() == canonical + "\n"
    assert landed.created
    assert landing.read(landed) == FIRST
    assert landing.verify(landed)
    assert landing.local_path(landed) == str(root / landed.key)
    assert landing.objects("simtom", DAY) == [landed]


@pytest.mark.skipif(which("zstdcat") is None, reason="zstdcat is not installed")
@pytest.mark.parametrize("payload", [FIRST, b""])
def test_other_tools_read_an_object(landing: Landing, payload: bytes) -> None:
    path = landing.local_path(landing.put("simtom", DAY, payload, REQUEST))
    assert path is not None
    assert subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout == payload


@pytest.mark.parametrize(
    ("kind", "suffix", "payload"),
    [
        (PayloadFormat.JSON_ROWS, ".json.zst", b'{"count": 2,\n "data": [{}, {}]}'),
        (PayloadFormat.CSV, ".csv.zst", b"id,total\r\na,1.50\r\nb,2.00"),
    ],
)
def test_an_answer_of_another_format_lands_as_it_arrived(
    landing: Landing, root: Path, kind: PayloadFormat, suffix: str, payload: bytes
) -> None:
    landed = landing.put("till", DAY, payload, REQUEST, Counted(kind, 2))
    assert (landed.records, landed.payload_format) == (2, kind)
    assert landed.key.endswith(suffix)
    assert (root / landed.key.replace(suffix, ".manifest.json")).exists()
    assert landing.objects("till", DAY) == [landed]
    assert landing.read(landed) == payload
    assert not landing.put("till", DAY, payload, REQUEST, Counted(kind, 2)).created

    mended = landing.put("till", DAY, FIRST, REQUEST)
    assert [o.payload_format for o in landing.objects("till", DAY)] == [kind, PayloadFormat.NDJSON]
    assert (mended.version, mended.records) == (2, 2)


def test_a_day_without_records_lands(landing: Landing) -> None:
    landed = landing.put("simtom", DAY, b"", REQUEST)
    assert (landed.records, landed.payload_bytes, landed.version) == (0, 0, 1)
    assert landing.read(landed) == b""
    assert landing.objects("simtom", DAY) == [landed]


def test_the_same_bytes_again_change_nothing(landing: Landing, root: Path) -> None:
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    before = files(root)
    again = landing.put("simtom", DAY, FIRST, {"another": "request"})
    assert again == landed
    assert not again.created
    assert files(root) == before


def test_a_correction_is_a_later_version_and_leaves_the_earlier_one_alone(
    landing: Landing, root: Path
) -> None:
    first = landing.put("simtom", DAY, FIRST, REQUEST)
    before = files(root)
    second = landing.put("simtom", DAY, CORRECTED, REQUEST)
    assert (second.version, second.created) == (2, True)
    assert Path(second.key).name.startswith("0002-")
    assert landing.objects("simtom", DAY) == [first, second]
    assert landing.read(first) == FIRST
    assert landing.read(second) == CORRECTED
    assert before.items() <= files(root).items()
    assert not landing.put("simtom", DAY, CORRECTED, REQUEST).created


def test_an_answer_that_goes_back_to_an_earlier_one_is_a_version_of_its_own(
    landing: Landing,
) -> None:
    for payload in (FIRST, CORRECTED):
        landing.put("simtom", DAY, payload, REQUEST)
    again = landing.put("simtom", DAY, FIRST, REQUEST)
    assert (again.version, again.created, landing.read(again)) == (3, True, FIRST)
    assert not landing.put("simtom", DAY, FIRST, REQUEST).created


def test_a_source_that_repeats_its_answer_after_a_row_was_corrected_says_nothing_new(
    landing: Landing,
) -> None:
    answer = landing.put("simtom", DAY, FIRST, REQUEST)
    prices = [b'{"price": 5}\n', b'{"price": 6}\n', b'{"price": 5}\n']
    versions = [landing.put("simtom", DAY, p, {"corrects": "a row"}).version for p in prices]
    assert versions == [2, 3, 4]
    landing.put("simtom", DAY, prices[0], {"corrects": "another row"})
    assert not landing.put("simtom", DAY, prices[0], {"corrects": "a row"}).created
    assert landing.put("simtom", DAY, FIRST, REQUEST) == answer


class Crash(BaseException):
    """The process ends here."""


class CrashingFolder(ObjectFolder):
    """Dies before a manifest is written."""

    def create(self, key: str, data: bytes) -> bool:
        if key.endswith(".manifest.json"):
            raise Crash
        return super().create(key, data)


def crash_between_object_and_manifest(root: Path, payload: bytes) -> None:
    with pytest.raises(Crash):
        Landing(CrashingFolder.from_url(root.as_uri())).put("simtom", DAY, payload, REQUEST)


def test_without_its_manifest_nothing_has_landed_until_the_same_bytes_complete_it(
    landing: Landing, root: Path
) -> None:
    crash_between_object_and_manifest(root, FIRST)
    begun = files(root)
    assert len(begun) == 1
    assert landing.objects("simtom", DAY) == []

    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    assert (landed.version, landed.created) == (1, True)
    assert begun.items() <= files(root).items()
    assert len(files(root)) == 2
    assert landing.read(landed) == FIRST
    assert landing.verify(landed)


def test_what_was_begun_is_completed_though_another_zstd_packed_it(
    landing: Landing, root: Path
) -> None:
    crash_between_object_and_manifest(root, FIRST)
    (key,) = files(root)
    packed = pa.Codec("zstd", compression_level=19).compress(FIRST, asbytes=True)
    (root / key).write_bytes(packed)
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    assert (landed.version, landed.object_sha256) == (1, sha256(packed).hexdigest())
    assert landing.read(landed) == FIRST


def test_a_begun_object_that_is_older_than_a_correction_or_broken_is_left_alone(
    landing: Landing, root: Path
) -> None:
    crash_between_object_and_manifest(root, FIRST)
    begun = files(root)
    assert landing.put("simtom", DAY, CORRECTED, REQUEST).version == 2
    late = landing.put("simtom", DAY, FIRST, REQUEST)
    assert (late.version, landing.read(late)) == (3, FIRST)

    crash_between_object_and_manifest(root, b"{}\n")
    (broken,) = (path for path in root.rglob("0004-*"))
    broken.write_bytes(b"torn")
    landed = landing.put("simtom", DAY, b"{}\n", REQUEST)
    assert (landed.version, landing.read(landed)) == (5, b"{}\n")
    assert broken.read_bytes() == b"torn"
    assert begun.items() <= files(root).items()


def test_writers_of_the_same_bytes_at_once_land_them_once(landing: Landing, root: Path) -> None:
    class Overtaken(ObjectFolder):
        """Another process lands the same bytes before our object, or our manifest, is written."""

        def create(self, key: str, data: bytes) -> bool:
            landing.put("simtom", DAY, FIRST, REQUEST)
            return super().create(key, data)

    landed = Landing(Overtaken.from_url(root.as_uri())).put("simtom", DAY, FIRST, REQUEST)
    assert not landed.created
    assert landing.objects("simtom", DAY) == [landed]
    assert len(files(root)) == 2


def test_a_name_taken_by_other_bytes_is_not_used(landing: Landing, root: Path) -> None:
    class Taken(ObjectFolder):
        def create(self, key: str, data: bytes) -> bool:
            super().create(key, b"something else")
            return super().create(key, data)

    with pytest.raises(StoreError, match="by another process meanwhile"):
        Landing(Taken.from_url(root.as_uri())).put("simtom", DAY, FIRST, REQUEST)
    assert landing.objects("simtom", DAY) == []


def test_changed_and_missing_objects_are_named(landing: Landing, root: Path) -> None:
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    path = root / landed.key
    healthy = path.read_bytes()
    for damaged in (healthy[:-1], bytes([healthy[0] ^ 1]) + healthy[1:], b"", FIRST):
        path.write_bytes(damaged)
        assert not landing.verify(landed)
        with pytest.raises(StoreError, match="is not as it was landed") as caught:
            landing.read(landed)
        assert landed.key in caught.value.message
    path.unlink()
    assert not landing.verify(landed)
    with pytest.raises(StoreError, match="is missing") as caught:
        landing.read(landed)
    assert landed.key in caught.value.message


@pytest.mark.parametrize("damage", ["cut", "moved", "emptied"])
def test_a_changed_manifest_is_named(landing: Landing, root: Path, damage: str) -> None:
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    path = root / landed.key.replace(".ndjson.zst", ".manifest.json")
    text = path.read_text()
    path.write_text({"cut": text[:40], "moved": text.replace("-09", "-10"), "emptied": ""}[damage])
    with pytest.raises(StoreError, match="is not as it was written") as caught:
        landing.objects("simtom", DAY)
    assert str(path.relative_to(root)) in caught.value.message


def test_a_window_is_listed_by_day_in_order_of_versions(landing: Landing, root: Path) -> None:
    window = Window.parse("2023-12-31", "2024-02-01")
    for day, payload in [
        ("2023-12-30", b"{}\n"),
        ("2023-12-31", FIRST),
        ("2024-01-15", FIRST),
        ("2024-01-15", CORRECTED),
        ("2024-02-01", b""),
        ("2024-02-02", b"{}\n"),
    ]:
        landing.put("simtom", dt.date.fromisoformat(day), payload, REQUEST)
    landing.put("other", dt.date(2024, 1, 20), FIRST, REQUEST)
    (root / "raw/simtom/year=2024/month=01/day=15/README.txt").write_text("a person was here")
    (root / "raw/simtom/year=2024/month=01/day=32").mkdir()
    (root / "raw/simtom/year=2024/month=01/day=32/0001-0123456789ab.manifest.json").write_text("")

    days = landing.days("simtom", window)
    assert list(days) == list(window)
    landed = {str(day): [item.version for item in items] for day, items in days.items() if items}
    assert landed == {"2023-12-31": [1], "2024-01-15": [1, 2], "2024-02-01": [1]}
    assert [landing.read(item) for item in days[dt.date(2024, 1, 15)]] == [FIRST, CORRECTED]


def test_more_than_9999_versions_stay_in_order(landing: Landing, root: Path) -> None:
    landed = landing.put("simtom", DAY, FIRST, REQUEST)
    folder = (root / landed.key).parent
    (folder / "9999-0123456789ab.ndjson.zst").write_bytes(b"")
    assert landing.put("simtom", DAY, CORRECTED, REQUEST).version == 10_000
    assert landing.put("simtom", DAY, b"", REQUEST).version == 10_001
    assert [item.version for item in landing.objects("simtom", DAY)] == [1, 10_000, 10_001]


def test_no_trace_is_left_of_a_write_that_lost(landing: Landing, root: Path) -> None:
    folder = ObjectFolder.from_url(root.as_uri())
    assert folder.create("raw/x", b"mine")
    assert not folder.create("raw/x", b"yours")
    assert files(root) == {"raw/x": b"mine"}


def test_what_a_killed_write_left_is_deleted_by_a_later_process(
    landing: Landing, root: Path
) -> None:
    staging = root / ".staging"
    staging.mkdir(parents=True)
    left, under_way = staging / "left", staging / "under way"
    for path in (left, under_way):
        path.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(left, (two_days_ago, two_days_ago))
    landing.put("simtom", DAY, FIRST, REQUEST)
    assert [*staging.iterdir()] == [under_way]


def test_a_local_write_is_synced_before_it_has_its_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink().relative_to(root)
        synced.append((path.as_posix().partition("/")[0], (root / "raw/a/b").exists()))
        real(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to see which file is synced")
    folder = ObjectFolder.from_url(root.as_uri())
    monkeypatch.setattr(os, "fsync", fsync)
    folder.create("raw/a/b", b"x")
    monkeypatch.undo()
    assert synced == [(".staging", False), ("raw", True), ("raw", True), (".", True)]


def test_an_object_store_keeps_the_same_promises() -> None:
    landing = Landing(ObjectFolder(MemoryStore()))
    first = landing.put("simtom", DAY, FIRST, REQUEST)
    second = landing.put("simtom", DAY, CORRECTED, REQUEST)
    assert not landing.put("simtom", DAY, CORRECTED, REQUEST).created
    assert landing.objects("simtom", DAY) == [first, second]
    assert landing.read(second) == CORRECTED
    assert landing.local_path(first) is None


def test_a_store_that_fails_says_what_to_do(root: Path) -> None:
    landing = Landing.from_url(root.as_uri())
    (root / "raw").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="check that its store is there") as caught:
        landing.put("simtom", DAY, FIRST, REQUEST)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("url", ["", "/srv/x", "file://relative/x", "s3://", "gs://bucket/x"])
def test_a_url_that_is_no_landing(url: str) -> None:
    with pytest.raises(SettingsError, match="LANDING_URL"):
        Landing.from_url(url)


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="can't be opened"):
        Landing.from_url((tmp_path / "file" / "landing").as_uri())


def test_what_can_not_be_landed(landing: Landing, root: Path) -> None:
    with pytest.raises(UsageError, match="ends without a newline"):
        landing.put("simtom", DAY, b"{}\n{}", REQUEST)
    for name in ("", "../simtom", "Simtom", "sim tom"):
        with pytest.raises(UsageError, match="can't name a source"):
            landing.put(name, DAY, FIRST, REQUEST)
    assert files(root) == {}
