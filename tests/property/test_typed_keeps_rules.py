"""The fast, columnar reading of a payload accepts and says exactly what the rules say."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.core.contract import Contract, type_records, violations
from clearhouse.core.contract.reading import READING_SCHEMA, read_line, read_records, split_lines

CONTRACT = Contract.load(Path(__file__).parents[1] / "unit" / "core" / "data" / "wide.yaml")
GOOD = {
    "_at": '"2024-03-09T10:11:12"',
    "id": '"t-1"',
    "amount": "45.90",
    "currency": '"USD"',
    "kind": '"a"',
    "level": "4",
    "count": "7",
    "score": "0.5",
    "flag": "true",
}
NUMBERS = """0|-0|-1|7|4|6|5|101|4.0|0.5|1.10|1.100|1e2|1E400|-1e-400|185.66843307230633|01|.5|1.|+1
9999999999999.99|12345678901234|9223372036854775807|9223372036854775808|NaN|-Infinity|Infinity|Inf
99999999999999999999999999999999|nan|"1.10"|"4"|"NaN"|null"""
MOMENTS = """"2024-03-09T10:11:12Z"|"2024-03-09T10:11:12+01:00"|"2024-03-09T10:11:12.123456"
"2024-03-09"|"2024-03-09T10:11:12.1234567"|"2024-03-09 10:11:12"|"2024-02-30T10:11:12"|1709979072
"2024-03-09T24:00:00"|"2024-03-09T23:59:60"|"0000-01-01T00:00:00"|"0999-01-01"|"2024-02-30"
"2024-02-29"|null|"2024-03-10T00:30:00+14:00"|"20240309T101112"|"2024-3-9"|19791"""
TEXTS = r"""""|"a"|"b"|"TX"|"TX\n"|"USD"|"JPY"|"XXX"|"usd"|"ＴＸ"|"T X"|"a\u0000b"|"t\u002d1"
"\ud800"|"\udc00"|"\ud83d\ude00"|"x}"|"{"|"["|"\"amount\":1.00,"|"seventeen-letters"|"é"|""|null|"t-2"|"😀"
"a b"|"a\u000bb"|"tab	in it"|"\q"|"\ud8"""
NESTED = """{}|[]|{"amount":45.90}|[{"_at":"2024-03-09T10:11:12"}]|{"a":1,"a":2}|{"a":NaN}
[1,"a",null]|{"due":"2024-02-29","x":[{}]}|[[[]]]|{"id":"t-9"}|{"fee":1.5}|[NaN]
{"a":{"b":"\\ud800"}}"""
FRESH = r"""fresh||AMOUNT|a'b|a/b|a~b|am\u006funt|f\u0065e|x\"amount|x\"_at|ü|*|$|\ud800|a b|(|fee.
\n"""


def listed(text: str) -> list[str]:
    """The members of a list written with bars and line breaks."""
    return [member for row in text.split("\n") for member in row.split("|")]


KINDS = {
    **dict.fromkeys(["amount", "level", "count", "score", "ratio", "size", "fee"], listed(NUMBERS)),
    **dict.fromkeys(["_at", "due"], listed(MOMENTS)),
    **dict.fromkeys(["id", "currency", "kind", "code", "note"], listed(TEXTS)),
    "flag": ["true", "false", "1.0995", '"true"', "null"],
}
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


def record(random: Random) -> bytes:
    """A record that keeps its contract but for some changes, most often one."""
    fields = list(GOOD.items())
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        name = random.choice(list(KINDS) if random.random() < 0.7 else listed(FRESH))
        value = random.choice(KINDS.get(name, ANYTHING) if random.random() < 0.8 else ANYTHING)
        if random.random() < 0.95:  # else the name may stand there twice
            fields = [f for f in fields if f[0] != name]
        fields.insert(random.randint(0, len(fields)), (name, value))
    if random.random() < 0.05:
        fields.pop(random.randrange(len(fields)))
    space = random.choice(["", "", "", "", " ", "\t", "\r"])
    members = ",".join(f'{space}"{name}"{space}:{space}{value}' for name, value in fields)
    return f"{space}{{{members}{space}}}{space}".encode()


def payload_of(random: Random) -> bytes:
    """A landed payload of a few lines, at most one of them not a record."""
    lines = [record(random) for _ in range(random.choice([1, 1, 1, 2, 3]))]
    if random.random() < 0.2:
        lines.insert(random.randint(0, len(lines)), random.choice(BREAKS)(record(random)))
    return b"\n".join(lines) + random.choice([b"", b"\n"])


# Independent draws: hypothesis' own variations of what it drew before are much alike.
payloads = st.integers(0, 2**64).map(Random).map(payload_of)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(payloads)
def test_columns_and_rules_agree_on_every_line(payload: bytes) -> None:
    lines = split_lines(payload)
    found = type_records(payload, CONTRACT, "till")

    said = {r.line: [v for v in r.violations if v.code != "ambiguous"] for r in found.rejected}
    accepted = found.accepted["_line"].to_pylist()
    assert sorted([*accepted, *said]) == list(range(1, len(lines) + 1))
    assert accepted == sorted(accepted)
    assert len(said) == len(found.rejected)

    for number, line in enumerate(lines, start=1):
        assert violations(line, CONTRACT) == said.get(number, [])
    for rejected in found.rejected:
        assert rejected.raw == lines[rejected.line - 1]


@settings(derandomize=True, deadline=None, max_examples=400)
@given(payloads)
def test_what_is_accepted_is_what_was_written(payload: bytes) -> None:
    lines = split_lines(payload)
    found = type_records(payload, CONTRACT, "till")
    for row in found.accepted.to_pylist():
        written = json.loads(lines[row["_line"] - 1], parse_float=str)
        for field in CONTRACT.fields:
            value, kept = written.pop(field.source_name, None), row[field.name]
            if field.places is not None and value is not None:
                assert kept == type(kept)(value)
            elif field.physical_type in ("string", "boolean", "bigint"):
                assert kept == value
            else:
                assert (kept is None) == (value is None)
        extra = json.loads(row["extra"], parse_float=str) if row["extra"] else {}
        assert extra == written


@settings(derandomize=True, deadline=None, max_examples=300)
@given(payloads)
def test_the_books_read_a_payload_as_they_read_each_line(payload: bytes) -> None:
    reading = read_records(payload, CONTRACT, "till")
    assert reading.schema == READING_SCHEMA
    assert reading.to_pylist() == [
        {"line": number, **read_line(line, CONTRACT, "till")}
        for number, line in enumerate(split_lines(payload), start=1)
    ]
