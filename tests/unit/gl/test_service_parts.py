"""Parts of the ledger's service by themselves: keys, limits, answers, tables, JSON, numbers."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from gl_tiny import TinyLedger
from pydantic import ValidationError

from clearhouse.core.contract import Contract, type_records
from clearhouse.core.errors import SettingsError, StoreError
from clearhouse.core.resources import resource
from clearhouse.gl.journal import Journal
from clearhouse.gl.periods import Period, Status
from clearhouse.gl.rules import MOST_CENTS
from clearhouse.gl.service import answers, columns, tables
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.errors import NotAllowedError, NotAuthenticatedError
from clearhouse.gl.service.journal_lines import lines_of
from clearhouse.gl.service.models import LineIn
from clearhouse.gl.service.numbering import Counter, Entries, numbered
from clearhouse.gl.service.security import Scope, keys_from, keys_in
from clearhouse.gl.service.shared import Shared
from clearhouse.sandbox.gl import wire

DAY = dt.date(2026, 5, 1)
LINES = TinyLedger(42, DAY, 1).lines(DAY, DAY + dt.timedelta(days=2))


def test_a_key_has_its_scopes_and_its_user() -> None:
    keys = keys_from("key-one-1:read+post, key-two-2:admin:USER-7777")
    assert keys.caller("key-one-1", Scope.READ).user == "USER-901"
    assert keys.caller("key-two-2", Scope.CLOSE).user == "USER-7777"
    with pytest.raises(NotAllowedError):
        keys.caller("key-one-1", Scope.CLOSE)
    for wrong in (None, "", "key-one-", "key-one-11", "\udcff"):
        with pytest.raises(NotAuthenticatedError):
            keys.caller(wrong, Scope.READ)


@pytest.mark.parametrize(
    "text",
    [
        *("", "short:read", "long-enough", "key-one-1:write", "k" * 9),
        "key-one-1:read,key-one-1:admin",
    ],
)
def test_keys_that_cant_be_used_are_refused_without_being_told(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        keys_from(text)
    assert not text or text not in refused.value.message


def test_a_file_of_keys_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keys"
    keys_in(path)
    made = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    key = made.splitlines()[1].partition(":")[0]
    assert keys_in(path).caller(key, Scope.ADMIN).user == "USER-901"
    assert path.read_text() == made


def test_a_file_of_keys_that_cant_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\xff\xfek\x00e\x00y")
    for path in (tmp_path / "keys", tmp_path):
        with pytest.raises(SettingsError, match=f"can't be read in {path} "):
            keys_in(path)


def test_without_a_redis_that_answers_each_process_goes_on_by_itself() -> None:
    shared = Shared("redis://127.0.0.1:1/0", 60, "ledger")
    made = []
    for _ in range(2):
        assert shared.answer("key", lambda: made.append(1) or b"answer") == b"answer"
    assert made == [1]
    assert shared.limit.wait_seconds("USER-1") == 0.0
    shared.announce(1)
    assert not shared.has_redis


def test_migrations_make_the_tables_as_this_version_has_them(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gl.db")
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "gl_version"})
        assert compare_metadata(context, tables.metadata) == []


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gl.db"
    with Database(url).writing() as connection:
        connection.exec_driver_sql("UPDATE gl_version SET version_num = '9999'")
    with pytest.raises(StoreError) as refused:
        Database(url)
    assert refused.value.code == "ledger_of_later"


def test_few_lines_are_written_as_many_are() -> None:
    assert len(LINES) < answers._FEW
    assert answers.ndjson(LINES) == wire.ndjson(LINES)
    assert answers.ndjson(LINES.slice(0, 0)) == b""


def test_lines_come_back_from_the_store_as_they_were() -> None:
    assert columns.from_rows(columns.for_sqlite(columns.to_stored(LINES))).equals(LINES)


def test_numbers_follow_the_counters_by_period() -> None:
    entries = Entries.of(LINES)
    found = numbered(LINES, entries, {"2026-05": Counter(3, 41)}, 7, DAY)
    assert found.journal_entries[:2] == ["JE-03000042", "JE-03000043"]
    assert found.last_numbers == {"2026-05": 41 + len(entries)}
    assert found.table["line_id"][0].as_py() == "202605-000042-001"
    ids = found.table["gl_entry_id"].to_pylist()
    assert ids == list(range(ids[0], ids[0] + len(LINES)))
    later = numbered(LINES, entries, {"2026-05": Counter(3, 41)}, ids[-1], DAY)
    assert later.table["gl_entry_id"][0].as_py() == ids[-1] + 1


def test_entries_that_do_not_balance_or_are_torn_are_not_taken() -> None:
    cents = pa.array([1, *LINES["debit_minor"].to_pylist()[1:]], pa.int64())
    at = LINES.schema.get_field_index("debit_minor")
    with pytest.raises(StoreError, match="differ"):
        Entries.of(LINES.set_column(at, "debit_minor", cents))
    with pytest.raises(StoreError, match="apart"):
        Entries.of(pa.concat_tables([LINES, LINES.slice(0, 1)]))


@pytest.mark.parametrize("quantity", ["9999999999.999", "-9999999999.999"])
def test_the_largest_line_that_is_taken_keeps_the_contract_of_lines(quantity: str) -> None:
    amount = answers.dollars(MOST_CENTS)
    taken = LineIn.model_validate({"account_code": "7300", "debit": amount, "quantity": quantity})
    line, wrong = taken.read(0)
    journal = Journal(DAY, DAY, (line,), "USER-101", "USER-201", "\ufeff at its bounds")
    period = Period("2026-05", 1, DAY, dt.date(2026, 5, 31), Status.OPEN)
    table = lines_of(journal, period, {}, dt.datetime(2026, 5, 1))  # noqa: DTZ001
    counters = {"2026-05": Counter(1, 0)}
    stored = numbered(table, Entries(np.zeros(1, int), np.zeros(1, int)), counters, 0, DAY)
    contract = Contract.load(resource("contracts") / "gl" / "lines.yaml")
    found = type_records(answers.ndjson(stored.table), contract, "gl_service")
    assert (wrong, found.rejected) == ([], ())
    with pytest.raises(ValidationError):
        LineIn.model_validate({"account_code": "7300", "quantity": "10000000000"})
