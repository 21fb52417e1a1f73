import duckdb
import pytest
from books_in_memory import DAY, NEXT, MemoryStore

from clearhouse.books import Totals
from clearhouse.books.measure import filled, record_hash, totals_of, totals_sql
from clearhouse.core.columnar import DIALECT

# printf 'r1|4590|USD' | md5sum | cut -c1-15
HASH_R1 = 0x9BD20D5E0A9CF5E
# printf 'r2|-1|XXX' | md5sum | cut -c1-15
HASH_R2 = 0xA838B674E22BFC8


def test_the_hash_of_a_record_is_the_same_for_ever() -> None:
    assert record_hash("r1", 4590, "USD") == HASH_R1
    assert record_hash("r2", -1, "XXX") == HASH_R2


def test_totals_are_counts_hashes_and_amounts_by_currency_and_day() -> None:
    store = MemoryStore(("r1", 4590, "USD"), ("r2", -1, "XXX"), ("r1", 4590, "USD"))
    store.put(("r1", 4590, "USD"), day=NEXT)
    measured = totals_of(store.rows([DAY, NEXT]))
    assert measured == {
        DAY: Totals(
            {
                "records": 3,
                "hash": 2 * HASH_R1 + HASH_R2,
                "minor:USD": 9180,
                "minor:XXX": -1,
            }
        ),
        NEXT: Totals({"records": 1, "hash": HASH_R1, "minor:USD": 4590}),
    }


def test_the_hash_of_many_records_passes_64_bits() -> None:
    relation = "SELECT DATE '2024-03-09' AS _book_date, 'r1' AS _record_id, 4590 AS amount_minor, \
        'USD' AS currency FROM range(100)"
    (row,) = duckdb.sql(totals_sql(relation)).fetchall()
    assert row[2:] == (100, str(100 * HASH_R1), "459000")
    assert 100 * HASH_R1 > 2**63


def test_days_without_records_are_totals_of_nothing() -> None:
    one = Totals({"records": 1})
    assert filled({DAY: one}, [NEXT, DAY]) == {NEXT: Totals(), DAY: one}
    assert filled({DAY: one}, [NEXT]) == {NEXT: Totals()}


def test_the_published_sql_is_the_definition() -> None:
    sql = f"SELECT {DIALECT.hash_sum()} FROM (SELECT 'r1' AS _record_id, 4590 AS amount_minor, \
        'USD' AS currency)"
    assert duckdb.sql(sql).fetchall() == [(HASH_R1,)]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("45.9000", "USD", 4590),
        ("-0.0100", "USD", -1),
        ("100.0000", "JPY", 100),
        ("1.2340", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("9999999999999.9900", "EUR", 999_999_999_999_999),
        ("9999999999999.9999", "CLF", 99_999_999_999_999_999),
    ],
)
def test_minor_units_of_a_decimal_column_are_exact(amount: str, currency: str, minor: int) -> None:
    sql = (
        f"SELECT {DIALECT.minor_units('a', 'c')} "
        f"FROM (SELECT CAST('{amount}' AS DECIMAL(17, 4)) AS a, '{currency}' AS c)"
    )
    assert duckdb.sql(sql).fetchall() == [(minor,)]
