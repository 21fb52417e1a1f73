"""The fast, columnar reading of a payload accepts and says exactly what the rules say."""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wide_contract import CONTRACT, DATA, FIELDS

from clearhouse.core.contract import Contract, TypedRecords, type_records, violations
from clearhouse.core.contract.lines import split_lines
from clearhouse.core.contract.reading import (
    READING_SCHEMA,
    key_of,
    read_line,
    together_pattern,
)

NUMBERS = """0|-0|-1|7|4|6|5|101|4.0|0.5|1.10|1.100|1e2|1E400|-1e-400|185.66843307230633|01|.5|1.|+1
9999999999999.99|12345678901234|9223372036854775807|9223372036854775808|NaN|-Infinity|Infinity|Inf
99999999999999999999999999999999|nan|"1.10"|"4"|"NaN"|null|"-0"|"007"|"0x1F"|" 4"|"-12"|"1.100"
9007199254740992|"9007199254740992"|"9007199254740993"|"9999999999999.99"|"9223372036854775808"|"+4"
"-1000.1"|"-1000.11"|"1e2"|"-7"|""|"4\n"|9999999999999.98"""
MOMENTS = """"2024-03-09T10:11:12Z"|"2024-03-09T10:11:12+01:00"|"2024-03-09T10:11:12.123456"
"2024-03-09"|"2024-03-09T10:11:12.1234567"|"2024-03-09 10:11:12"|"2024-02-30T10:11:12"|1709979072
"2024-03-09T24:00:00"|"2024-03-09T23:59:60"|"0000-01-01T00:00:00"|"0999-01-01"|"2024-02-30"
"2024-02-29"|null|"2024-03-10T00:30:00+14:00"|"20240309T101112"|"2024-3-9"|19791
"2024-03-09T00:30:00-12:45"|"2024-03-09T23:30:00.5-00:00"|"2024-03-09T10:11:12+15:00"
"1000-01-01T00:00:00+14:00"|"2024-03-09T10:11:12+0100"|"2024-03-09T10:11:12 Z"
"2024-03-09T10:11:12z"|"2024-02-30T10:11:12Z"|"0999-03-09T10:11:12Z" """.rstrip()
TEXTS = r"""""|"a"|"b"|"TX"|"TX\n"|"USD"|"JPY"|"XXX"|"usd"|"ＴＸ"|"T X"|"a\u0000b"|"t\u002d1"
"\ud800"|"\udc00"|"\ud83d\ude00"|"x}"|"{"|"["|"\"amount\":1.00,"|"seventeen-letters"|"é"|""|null|"t-2"|"😀"
"\ufeffa"|"a b"|"a\u000bb"|"tab	in it"|"\q"|"\ud8"""
NESTED = """{}|[]|{"amount":45.90}|[{"_at":"2024-03-09T10:11:12"}]|{"a":1,"a":2}|{"a":NaN}
[{"sku": "a", "n" : 1.50}, {"sku":"b"}]|{"x": {"note": "t"}}|[" a  b ", 1E5]
{"a": 1, "b": {"b": 01}}|{"number":7}|{"till":"7"}|{"tip":"1.5"}|{"count":7}|{"a": 1, "a": 1}
[99999999999999999999999]|{}
[1,"a",null]|{"due":"2024-02-29","x":[{}]}|[[[]]]|{"id":"t-9"}|{"fee":1.5}|[NaN]
{"a":{"b":"\\ud800"}}"""
FRESH = r"""fresh||AMOUNT|a'b|a/b|a~b|am\u006funt|f\u0065e|x\"amount|x\"_at|ü|*|$|\ud800|a b|(|fee.
\n"""


def listed(text: str) -> list[str]:
    """The members of a list written with bars and line breaks."""
    return [member for row in text.split("\n") for member in row.split("|")]


@dataclass(frozen=True)
class Shape:
    """A contract, a record that keeps it, and by field the values worth a try."""

    contract: Contract
    good: Mapping[str, str]
    kinds: Mapping[str, Sequence[str]]


WIDE = Shape(
    CONTRACT,
    FIELDS,
    {
        **dict.fromkeys(
            ["amount", "level", "count", "score", "ratio", "size", "fee"], listed(NUMBERS)
        ),
        **dict.fromkeys(["_at", "due"], listed(MOMENTS)),
        **dict.fromkeys(["id", "currency", "kind", "code"], listed(TEXTS)),
        "note": [*listed(TEXTS), f'"{"é" * 100}"', f'"{"é" * 101}"'],
        "flag": ["true", "false", "1.0995", '"true"', "null"],
    },
)
FORMS = Shape(
    Contract.load(DATA / "forms.yaml"),
    {
        "_at": '"2024-03-09T23:11:12-02:00"',
        "number": "7",
        "till": '"12"',
        "day": '"2024-03-09"',
        "amount": '"45.90"',
    },
    {
        **dict.fromkeys(["number", "till", "amount", "tip", "ref", "share"], listed(NUMBERS)),
        **dict.fromkeys(["_at", "day", "closed"], listed(MOMENTS)),
        **dict.fromkeys(["note", "currency"], listed(TEXTS)),
    },
)
REPEATED = replace(WIDE, contract=replace(CONTRACT, repeats=True))
TOGETHER = replace(
    WIDE,
    contract=replace(
        CONTRACT, repeats=True, together=next(f for f in CONTRACT.fields if f.name == "kind")
    ),
)
ANYTHING = [
    *listed(NUMBERS),
    *listed(MOMENTS),
    *listed(TEXTS),
    *listed(NESTED),
    "true",
    "undefined",
]
BREAKS: list[Callable[[bytes], bytes]] = [
    lambda line: line + b" " + line,
    lambda line: line[:-1] + b"\n}" + line,
    lambda line: line + b"\n\n" + line + b" " + line,
    lambda line: line[:-9],
    lambda line: line.replace(b"t-1", b"t\xff1"),
    lambda line: line.replace(b'"a"', b'"\xed\xa0\x80"'),
    lambda line: b"\xef\xbb\xbf" + line,
    lambda line: line.replace(b"7", b"[" * 40 + b"]" * 40),
    lambda line: line.replace(b'"id"', b'"x":' + b'{"a":' * 20 + b"1" + b"}" * 20 + b',"id"'),
    *(
        lambda _, line=line: line
        for line in [
            b"",
            b" ",
            b"\r",
            b"{}",
            b"[]",
            b"null",
            b"<html>",
            b"}",
            b'{"x": 1}',
            b"{} {}",
        ]
    ),
]


def record(random: Random, shape: Shape) -> bytes:
    """A record that keeps its contract but for some changes, most often one."""
    fields = list(shape.good.items())
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        name = random.choice(list(shape.kinds) if random.random() < 0.7 else listed(FRESH))
        value = random.choice(
            shape.kinds.get(name, ANYTHING) if random.random() < 0.8 else ANYTHING
        )
        if random.random() < 0.95:  # else the name may stand there twice
            fields = [f for f in fields if f[0] != name]
        fields.insert(random.randint(0, len(fields)), (name, value))
    if random.random() < 0.05:
        fields.pop(random.randrange(len(fields)))
    space = random.choice(["", "", "", "", " ", "\t", "\r"])
    members = ",".join(f'{space}"{name}"{space}:{space}{value}' for name, value in fields)
    return f"{space}{{{members}{space}}}{space}".encode()


def payload_of(random: Random, shape: Shape) -> bytes:
    """A landed payload of a few lines, at most one of them not a record."""
    lines = [record(random, shape) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    if random.random() < 0.2:
        lines.insert(random.randint(0, len(lines)), random.choice(BREAKS)(record(random, shape)))
    return b"\n".join(lines) + random.choice([b"", b"\n"])


# Seeds are independent draws: hypothesis' own variations of what it drew before are much alike.


@pytest.mark.parametrize(
    "shape", [WIDE, FORMS, REPEATED, TOGETHER], ids=["wide", "forms", "repeated", "together"]
)
@settings(max_examples=300)
@given(seed=st.integers(0, 2**64))
def test_columns_say_of_every_line_what_the_rules_say(shape: Shape, seed: int) -> None:
    payload = payload_of(Random(seed), shape)
    lines = split_lines(payload)
    found = type_records(payload, shape.contract, "till")
    check_that_the_rules_agree(lines, found, shape.contract)
    for row in found.accepted.to_pylist():
        check_that_it_is_what_was_written(row, lines[row["_line"] - 1], shape.contract)
    assert found.reading.schema == READING_SCHEMA
    assert found.reading.to_pylist() == list(read_one_by_one(lines, shape.contract))


def read_one_by_one(lines: Sequence[bytes], contract: Contract) -> Iterator[Mapping[str, Any]]:
    seen: Counter[str] = Counter()
    before = b""
    for number, line in enumerate(lines, start=1):
        if contract.together is not None:
            found = re.search(together_pattern(contract.together).encode(), line)
            shared = found.group(1) if found else b""
            seen = seen if shared == before else Counter()
            before = shared
        key = key_of(line, contract)
        seen[key] += 1
        yield {"line": number, **read_line(line, contract, "till", nth=seen[key])}


def check_that_the_rules_agree(
    lines: Sequence[bytes], found: TypedRecords, contract: Contract
) -> None:
    said = {r.line: [v for v in r.violations if v.code != "ambiguous"] for r in found.rejected}
    accepted = found.accepted["_line"].to_pylist()
    assert sorted([*accepted, *said]) == list(range(1, len(lines) + 1))
    assert accepted == sorted(accepted)
    assert len(said) == len(found.rejected)
    for number, line in enumerate(lines, start=1):
        assert violations(line, contract) == said.get(number, [])
    for rejected in found.rejected:
        assert rejected.raw == lines[rejected.line - 1]


def check_that_it_is_what_was_written(
    row: Mapping[str, Any], line: bytes, contract: Contract
) -> None:
    written = json.loads(line, parse_float=str)
    for field in contract.sent:
        value, kept = written.pop(field.source_name, None), row[field.name]
        assert (kept is None) == (value is None)
        if value is None:
            continue
        if field.places is not None:
            assert kept == Decimal(value)
        elif field.has_offset:
            assert kept == dt.datetime.fromisoformat(value)
        elif field.physical_type == "bigint":
            assert kept == int(value)
        elif field.physical_type in ("string", "boolean"):
            assert kept == value
    extra = json.loads(row["extra"], parse_float=str) if row["extra"] else {}
    assert extra == written
