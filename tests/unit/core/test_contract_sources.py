"""Sources of one dataset that name its fields differently, and that rightly repeat a line."""

import json
from collections.abc import Sequence
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from clearhouse.core.contract import Contract, PayloadFormat, TypedRecords, rows_of, type_records
from clearhouse.core.errors import ContractError

FILE = Path(__file__).parent / "data" / "sales.yaml"
RECORDED = Path(__file__).parents[2] / "data" / "retailers"
SALES = Contract.load(FILE)
WRITTEN = {
    "retailer_1": ("data", "order_id", "quantity", "total"),
    "retailer_2": ("transactions", "transaction_number", "qty", "amount"),
    "retailer_3": ("results", "sale_id", "count", "revenue"),
}
"""By source: the key of the rows, and the names of sale, quantity and total."""
LINE = '{"order_id":"A","sku":"s","quantity":1,"total":2.50}'


def typed(*lines: str, source: str = "retailer_1", contract: Contract = SALES) -> TypedRecords:
    answer = f'{{"{WRITTEN[source][0]}": [{", ".join(lines)}]}}'
    return type_records(answer.encode(), contract, source)


def column(found: TypedRecords, name: str) -> list[Any]:
    return list(found.accepted[name].to_pylist())


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", WRITTEN)
def test_a_recorded_answer_is_read_by_the_names_of_its_source(source: str) -> None:
    under, sale, quantity, total = WRITTEN[source]
    payload = (RECORDED / f"{source}-2024-01-15.json").read_bytes()
    written = json.loads(payload, parse_float=Decimal)[under]

    found = type_records(payload, SALES, source)

    assert found.rejected == ()
    assert column(found, "sale") == [row[sale] for row in written]
    assert column(found, "quantity") == [row[quantity] for row in written]
    assert column(found, "total") == [row[total] for row in written]
    assert column(found, "tax") == [row.get("tax_amount") for row in written]
    assert found.accepted.select(SALES.arrow_schema.names).schema == SALES.arrow_schema
    cents = [int(row[total] * 100) for row in written]
    assert found.reading["amount_minor"].to_pylist() == cents


def test_what_a_source_does_not_send_is_null_and_what_another_sends_by_that_name_is_kept() -> None:
    (row,) = typed(LINE[:-1] + ',"tax":1.00,"tax_amount":2.00,"qty":7}').accepted.to_pylist()
    assert (row["tax"], row["quantity"]) == (None, 1)
    assert row["extra"] == '{"qty":7,"tax":1.00,"tax_amount":2.00}'


def test_the_name_of_another_source_does_not_stand_for_a_field() -> None:
    found = typed(LINE.replace('"total"', '"amount"'))
    assert [v.field for v in found.rejected[0].violations] == ["total"]
    assert (found.rejected[0].amount_minor, found.rejected[0].currency) == (0, "XXX")


def test_one_broken_row_is_judged_by_its_sources_names_too() -> None:
    line = '{"sale_id":"A","product_code":"s","count":1,"revenue":2.50}'
    found = typed(line, line.replace("2.50", '"free"'), line, source="retailer_3")
    assert column(found, "total") == [Decimal("2.50")] * 2
    assert [v.detail for v in found.rejected[0].violations] == [
        '"free" is not an exact amount with at most 2 decimals.'
    ]


def test_a_contract_that_all_sources_state_alike_is_the_same_for_each() -> None:
    plain = Contract.load(FILE.parent / "wide.yaml")
    assert plain.of("retailer_1") is plain.of("anyone") is plain
    assert SALES.of("retailer_1") is SALES.of("retailer_1")
    assert SALES.of("retailer_1").of("retailer_1") is SALES.of("retailer_1")
    assert rows_of(b'{"results": [{}]}', SALES.of("retailer_3")).lines == b"{}\n"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (", retailer_2: qty", "", "the required field quantity has no name for retailer_2"),
        ("retailer_3: count", "retailer_3: revenue", "quantity and total are both called revenue"),
        ("retailer_3: count", "retailer_3: category", "are both called category by retailer_3"),
        (", retailer_3: results", "", "`rows_under` names no key for retailer_3"),
        ("value: {retailer_2: tax_amount}", "value: tax_amount", "Field tax: `sources` is not"),
        ("repeats, value: true", "repeats, value: often", "`repeats: often` is not understood"),
        ("retailer_3: count", "retailer_3: no", "Field quantity: `sources` is not understood"),
        ("retailer_2: tax_amount", "", "Field tax: `sources` is not understood"),
    ],
)
def test_names_that_can_not_be_used_are_refused_in_one_sentence(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "sales.yaml"
    text = FILE.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ContractError) as refused:
        Contract.load(path)
    assert told in refused.value.message
    assert ". " not in refused.value.message


def test_a_source_that_the_contract_does_not_name_is_refused() -> None:
    with pytest.raises(ContractError, match="`rows_under` names no key for retailer_4"):
        SALES.of("retailer_4")


# --- repeated lines -----------------------------------------------------------------------------


def keys(found: TypedRecords) -> Sequence[str]:
    return list(found.reading["_record_key"].to_pylist())


def test_equal_lines_of_one_answer_are_records_of_their_own_and_the_same_ones_again() -> None:
    other = LINE.replace('"s"', '"t"')
    found = typed(LINE, other, LINE)
    assert keys(found) == ["A|s|1", "A|t|1", "A|s|2"]
    assert column(found, "_record_key") == keys(found)
    assert [r["_record_id"] for r in found.reading.to_pylist()] == [
        md5(f"retailer_1|{key}|{line}".encode()).hexdigest()
        for key, line in zip(keys(found), (LINE, other, LINE), strict=True)
    ]
    assert typed(LINE, other, LINE).reading == found.reading
    assert len(found.accepted) == 3


def test_a_changed_sale_has_the_keys_that_it_had() -> None:
    changed = LINE.replace("2.50", "3.50")
    before, after = typed(LINE, LINE), typed(LINE, changed)
    assert keys(before) == keys(after)
    ids = [each.reading["_record_id"].to_pylist() for each in (before, after)]
    assert [a == b for a, b in zip(*ids, strict=True)] == [True, False]


def test_rejected_lines_are_counted_with_the_others_and_by_what_is_read_of_their_key() -> None:
    broken = LINE.replace("2.50", '"free"')
    found = typed(broken, LINE, "7", broken, "{}")
    assert keys(found) == ["A|s|1", "A|s|2", "||1", "A|s|3", "||2"]
    assert [r.record_key for r in found.rejected] == ["A|s|1", "||1", "A|s|3", "||2"]
    assert column(found, "_record_key") == ["A|s|2"]


def test_lines_that_are_no_text_are_counted_alike() -> None:
    contract = SALES.of("retailer_1")
    lines = [LINE.encode(), b'{"order_id":"A","sku":"s","note":"\xff"}', b"\xff", LINE.encode()]
    found = type_records(b"\n".join(lines), contract, "retailer_1", kind=PayloadFormat.NDJSON)
    assert keys(found) == ["A|s|1", "A|s|2", "||1", "A|s|3"]
    assert column(found, "_record_key") == ["A|s|1", "A|s|3"]


def test_a_key_that_another_reader_would_find_otherwise_is_still_no_record() -> None:
    found = typed('{"x":{"order_id":"B"},' + LINE[1:], LINE)
    assert [v.code for v in found.rejected[0].violations] == ["ambiguous"]
    assert keys(found) == ["B|s|1", "A|s|1"]


def test_a_sale_that_comes_again_in_one_answer_is_no_more_lines_where_lines_stand_together(
    tmp_path: Path,
) -> None:
    shared = FILE.read_text().replace("repeats, value: true", "repeats, value: product")
    (tmp_path / "shared.yaml").write_text(shared)
    contract = Contract.load(tmp_path / "shared.yaml")
    other = LINE.replace('"s"', '"t"')

    found = typed(LINE, LINE, other, LINE, LINE.replace("2.50", "2.40"), contract=contract)

    assert keys(found) == ["A|s|1", "A|s|2", "A|t|1", "A|s|1", "A|s|2"]
    ids = found.reading["_record_id"].to_pylist()
    assert ids[0] == ids[3]  # a duplicate
    assert ids[1] != ids[4]  # a correction


# --- the source's own name ----------------------------------------------------------------------


def test_ids_of_a_source_s_own_are_told_apart_by_its_name(tmp_path: Path) -> None:
    own = FILE.read_text().replace(
        "    properties:\n",
        "    properties:\n      - {name: retailer, physicalType: string, required: true, "
        "primaryKey: true, primaryKeyPosition: 0, "
        "customProperties: [{property: is_source, value: true}]}\n",
        1,
    )
    (tmp_path / "own.yaml").write_text(own)
    contract = Contract.load(tmp_path / "own.yaml")
    lines = [LINE, LINE.replace("2.50", '"free"'), LINE[:-1] + ',"retailer":"another","é":1}']

    found = typed(*lines, contract=contract)

    assert column(found, "_record_key") == ["retailer_1|A|s|1", "retailer_1|A|s|3"]
    assert column(found, "retailer") == ["retailer_1"] * 2
    assert json.loads(column(found, "extra")[1]) == {"retailer": "another", "é": 1}
    assert [row.record_key for row in found.rejected] == ["retailer_1|A|s|2"]
