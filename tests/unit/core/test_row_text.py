"""The text of a row, which the leaf of a proof is made of."""

import pyarrow as pa

from clearhouse.core.columnar import query, row_text


def test_values_that_json_has_no_exact_form_for_are_told_apart() -> None:
    kinds = {"m": pa.decimal128(20, 2), "f": pa.float64(), "t": pa.timestamp("us", "UTC")}
    sql = row_text(kinds)

    def text(zone: str) -> str:
        answer = query(
            f"""SELECT {sql} AS text FROM (SELECT 123456789012345678.90::DECIMAL(20, 2) AS m,
                0.1::DOUBLE + 0.2::DOUBLE AS f, '2024-03-09 12:00:00{zone}'::TIMESTAMPTZ AS t)"""
        )
        return str(answer["text"][0])

    assert text("+00") == '["123456789012345678.90",0.30000000000000004,1709985600000000]\n'
    assert text("+01") != text("+00") == text("+00")
