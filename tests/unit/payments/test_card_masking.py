"""Card numbers are masked, and nothing else is."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.payments.cards import mask_json, mask_text
from clearhouse.payments.event import Provider
from clearhouse.payments.id_fields import ID_FIELDS

CARDS = {  # numbers that the schemes and providers give for tests
    "4242424242424242": "424242******4242",
    "4222222222222": "422222***2222",
    "5555555555554444": "555555******4444",
    "2223003122003222": "222300******3222",
    "378282246310005": "378282*****0005",
    "30569309025904": "305693****5904",
    "6011111111111117": "601111******1117",
    "3566002020360505": "356600******0505",
    "6205500000000000004": "620550*********0004",
    "6759649826438453": "675964******8453",
    "501800000009": "501800**0009",
    "4242 4242 4242 4242": "4242 42** **** 4242",
    "4242-4242-4242-4242": "4242-42**-****-4242",
    "3782 822463 10005": "3782 82***3 *0005".replace("***3 *", "**** *"),
}
STAY = [
    "4242424242424241",  # not its check digit
    "42424242424242420",  # no length of Visa's
    "4242424242424242424242",
    "1234567812345670",  # nobody's range
    "7914073381342284",
    "4242  4242  4242  4242",
    "4242.4242.4242.4242",
    "9f86d081-884c-4d65-9a2f-501800000009",  # UUIDs
    "{ab000000-4242-4242-4242-501800000009}",
    "2026-03-01 12:00:00",
]
NO_IDS = frozenset()


@pytest.mark.parametrize(("number", "masked"), CARDS.items())
@pytest.mark.parametrize("text", ["{}", "card {} declined", "Karte:{}.", "{}, 12.50 EUR", "№{}"])
def test_a_card_number_in_a_text_is_masked_and_its_place_told(number, masked, text):
    body = json.dumps({"a": [1, {"b/c": text.format(number)}]}, ensure_ascii=False).encode()
    found = mask_json(body, NO_IDS)
    assert found.body == body.replace(number.encode(), masked.encode())
    assert found.pointers == ("/a/1/b~1c",)
    assert mask_text(body) == found.body


@pytest.mark.parametrize("text", STAY)
def test_what_is_no_card_number_stays(text):
    body = json.dumps({"a": text}).encode()
    assert mask_json(body, NO_IDS).body is body


def test_ids_stay_and_what_is_below_them_does_not():
    number = "4242424242424242"
    body = json.dumps(
        {
            "pspReference": number,
            "ids": [number, number],
            "paymentData": {"pspReference": number, "holder": number},
            "original": {"ids": {"text": number}},
            "text": number,
        }
    ).encode()
    found = mask_json(body, {"pspReference", "ids"})
    assert found.pointers == ("/paymentData/holder", "/original/ids/text", "/text")
    read = json.loads(found.body)
    assert read["pspReference"] == read["paymentData"]["pspReference"] == number
    assert read["ids"] == [number, number]


def test_every_byte_around_a_masked_number_stays():
    body = b'{ "z":1.50,"a" : "\\u00e9 4242424242424242\\n","a":  [ ] , "n":1e2, "big":12345678901}'
    found = mask_json(body, NO_IDS)
    assert found.body == body.replace(b"4242424242424242", b"424242******4242")


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        (b'"4242\\u003424242424242"', b'"4242\\u003424242424242"'),
        (b'"4242\\u0034242424242424"', b'"4242\\u003424242424242"'),
        (b'"\\u00342424242424\\u00342424\\u0032"', b'"\\u003424242****\\u0034242*"'),
        (b'"4242\\u00204242\\u002D4242 4242"', b'"4242\\u002042**\\u002D**** 4242"'),
        (b'"\\"4242424242424242\\""', b'"\\"424242******4242\\""'),
        (b'"\\\\u0034242424242424242"', b'"\\\\u0034242424242424242"'),
    ],
)
def test_escapes_do_not_hide_a_card_number(written, masked):
    body = b'{"a":' + written + b"}"
    found = mask_json(body, NO_IDS).body
    shown = re.sub(r"[^0-9*]", "", json.loads(found)["a"])
    plain = re.sub(r"[^0-9]", "", json.loads(body)["a"])
    if plain == "4242424242424242":
        assert shown == "424242******4242"
    else:
        assert found == body


@pytest.mark.parametrize("before", ["\n", "\t", "é", "•", "“", "😀", "\ud800", "\\", "\x00"])
@pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "501800000009"])
def test_the_letters_and_digits_of_an_escape_before_a_card_number_do_not_hide_it(before, number):
    body = json.dumps({"a": f"Card:{before}{number}"}).encode()
    expected = body.replace(number.encode(), CARDS[number].encode())
    assert mask_json(body, NO_IDS).body == expected
    assert mask_text(body + b"}") == expected + b"}"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("４２４２４２４２４２４２４２４２", "４２４２４２******４２４２"),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "٤٢٤٢٤٢******٤٢٤٢"),
        ("4242\u00a04242\u00a04242\u00a04242", "4242\u00a042**\u00a0****\u00a04242"),
        ("4242–4242–4242–4242", "4242–42**–****–4242"),
        ("𝟒𝟐𝟒𝟐4242４２４２4242", "𝟒𝟐𝟒𝟐42******4242"),
        ("Größe ４２４２４２４２４２４２４２４１",) * 2,  # not its check digit
    ],
)  # fmt: skip
def test_digits_of_other_scripts_and_other_spaces_do_not_hide_a_card_number(written, masked):
    for is_ascii in (False, True):
        body = json.dumps({"a": written}, ensure_ascii=is_ascii).encode()
        found = mask_json(body, NO_IDS)
        assert json.loads(found.body) == {"a": masked}
        assert found.pointers == (("/a",) if masked != written else ())
        assert mask_text(body) == found.body


@pytest.mark.parametrize("before", [b"\\", b"\\u", b"\\ux", b"\\\\", b'"\\"', b"\xff", b"x"])
def test_nothing_before_it_hides_a_card_number_in_a_broken_text(before):
    found = mask_text(b'{"a":' + before + b"4242424242424242")
    assert found == b'{"a":' + before + b"424242******4242"


_PIECES = st.sampled_from([b"\\", b"\\u", b"\\ud83", b"4242424242424242", b"\xd9\xa4", b'"'])


@settings(max_examples=500)
@given(pieces=st.lists(_PIECES | st.binary(max_size=3), max_size=8))
def test_any_bytes_can_be_masked(pieces):
    text = b"".join(pieces)
    assert len(mask_text(text)) <= len(text)


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (4242424242424242, 4242420000004242),
        (30569309025904, 30569300005904),
        (4222222222222, 4222222222222),  # of 13 digits: it may be an amount
        (1772366400000, 1772366400000),
    ],
)
def test_a_number_stays_a_number(number, kept):
    body = b'{"a":%d,"b":-1}' % number
    assert json.loads(mask_json(body, NO_IDS).body) == {"a": kept, "b": -1}


@pytest.mark.parametrize(
    "number", [b"4242424242424242.0", b"-4242424242424242", b"4242424242424242"]
)
def test_a_number_with_a_sign_or_decimals_is_one_of_a_card_too(number):
    found = mask_json(b'{"a":' + number + b"}", NO_IDS)
    assert found.body == b'{"a":' + number.replace(b"4242424242424242", b"4242420000004242") + b"}"
    cents = b'{"a":4242424242424242.25}'
    assert mask_json(cents, NO_IDS).body == cents


def test_a_card_number_as_a_name_is_masked_where_it_stands_and_in_the_pointer():
    found = mask_json(b'{"4242424242424242":{"x":"5555555555554444"}}', NO_IDS)
    assert found.body == b'{"424242******4242":{"x":"555555******4444"}}'
    assert found.pointers == ("/424242******4242", "/424242******4242/x")


@given(st.binary(max_size=80), st.sampled_from(list(CARDS)), st.binary(max_size=80))
def test_no_card_number_is_left_in_bytes_of_any_kind(before, number, after):
    """But for one that is part of more digits, which is another number."""
    edges = before[-3:] + b"|" + after[:3]
    found = mask_text(before + number.encode() + after)
    assert re.search(rb"[0-9A-Za-z_]", edges) or number.encode() not in found
    assert len(found) == len(before + number.encode() + after)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.sampled_from(list(CARDS)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("id"), inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60)
@given(JSON, st.booleans())
def test_of_any_json_only_the_values_at_the_pointers_change(value, is_ascii):
    body = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    found = mask_json(body, {"id"})
    assert len(found.body) <= len(body)
    changed = dict(_differences(value, json.loads(found.body), ""))
    assert set(changed) == set(found.pointers)
    for before, after in changed.values():
        assert isinstance(before, str | int)
        assert len(str(before)) == len(str(after))


def _differences(before, after, path):
    if isinstance(before, dict):
        for name in before:
            part = name.replace("~", "~0").replace("/", "~1")
            yield from _differences(before[name], after[name], f"{path}/{part}")
    elif isinstance(before, list):
        for at, each in enumerate(before):
            yield from _differences(each, after[at], f"{path}/{at}")
    elif before != after:
        yield path, (before, after)


def test_every_provider_has_declared_its_ids():
    assert set(ID_FIELDS) == set(Provider)
    assert {"pspReference", "originalReference"} <= ID_FIELDS[Provider.ADYEN]
