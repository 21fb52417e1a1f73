"""The sandbox's retailers against recorded answers of the real ones."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from unit.sandbox.retail import KEYS, RETAILERS, ROWS_UNDER, request, send

DATA = Path(__file__).parents[1] / "data" / "retailers"
DAY = dt.date(2024, 1, 15)


def recorded(name: str) -> str:
    return (DATA / f"{name}-{DAY}.json").read_text()


def refusals() -> dict[str, tuple[str, int, str]]:
    """Body, status and content type of each recorded refusal, by its title."""
    found = {}
    for block in re.split(r"^--- ", (DATA / "errors.txt").read_text(), flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        body, _, head = rest.rstrip("\n").rpartition("\n")
        status, _, kind = head.partition(" ")
        found[title] = (body, int(status), kind)
    return found


REFUSED = {
    "r1 no auth": ("retailer_1", {"method": "GET", "url": "/sales"}),
    "r1 bad date": ("retailer_1", request("retailer_1", "notadate")),
    "r1 inverted range": ("retailer_1", request("retailer_1", "2024-02-01", "2024-01-01")),
    "r1 POST": ("retailer_1", {"method": "POST", "url": "/sales"}),
    "r1 404": ("retailer_1", {"method": "GET", "url": "/nope"}),
    "r2 no auth": ("retailer_2", {"method": "GET", "url": "/transactions"}),
    "r3 no auth": ("retailer_3", {"method": "POST", "url": "/sales/query", "json": {}}),
    "r3 no content type": (
        "retailer_3",
        {"method": "POST", "url": "/sales/query", "headers": {"apikey": KEYS["retailer_3"]}},
    ),
    "r3 broken json": (
        "retailer_3",
        {
            "method": "POST",
            "url": "/sales/query",
            "content": b'{"dateFrom":',
            "headers": {"apikey": KEYS["retailer_3"], "content-type": "application/json"},
        },
    ),
    "r3 bad date": (
        "retailer_3",
        {
            "method": "POST",
            "url": "/sales/query",
            "json": {"dateFrom": "x"},
            "headers": {"apikey": KEYS["retailer_3"]},
        },
    ),
    "r3 GET": ("retailer_3", {"method": "GET", "url": "/sales/query"}),
    "r1 database down": ("retailer_1", request("retailer_1", DAY)),
}


@pytest.mark.parametrize("title", REFUSED)
def test_a_refusal_is_the_recorded_one_byte_for_byte(title: str) -> None:
    name, asked = REFUSED[title]
    [answer] = send(name, asked, faults={DAY: ("down",)} if "down" in title else {})
    body, status, kind = refusals()[title]
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert answer.text == body


def test_every_recorded_refusal_is_tried() -> None:
    assert refusals().keys() - REFUSED.keys() == {"r1 key without Bearer prefix"}
    asked = request("retailer_1", DAY)
    asked["headers"]["Authorization"] = KEYS["retailer_1"]
    assert send("retailer_1", asked)[0].status_code == 200


@pytest.mark.parametrize("name", RETAILERS)
def test_an_answer_is_written_as_the_recorded_one(name: str) -> None:
    [answer] = send(name, request(name, DAY))
    ours, theirs = answer.text, recorded(name)
    assert answer.headers["content-type"] == "application/json"
    for text in (ours, theirs):  # compact, keys sorted, a line break at the end
        assert text == json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True) + "\n"
    ours, theirs = json.loads(ours), json.loads(theirs)
    assert list(ours) == list(theirs)
    assert ours["count"] == len(ours[ROWS_UNDER[name]]) > 100
    assert (ours["retailer"], theirs["retailer"]) == (name, name)


def form(value: object) -> object:
    """A value's type; of a text that is an id or a time, its letters and signs too."""
    if isinstance(value, str) and re.search(r"\d", value) and " " not in value:
        return re.sub(r"\d+", "0", value)
    return type(value)


@pytest.mark.parametrize("name", RETAILERS)
def test_rows_have_the_recorded_fields_in_order_in_the_recorded_forms(name: str) -> None:
    [answer] = send(name, request(name, DAY))
    ours, theirs = (json.loads(text)[ROWS_UNDER[name]] for text in (answer.text, recorded(name)))
    assert {tuple(row) for row in ours} == {tuple(row) for row in theirs}
    for field in theirs[0]:
        if not field.endswith("name"):
            assert {form(row[field]) for row in ours} == {form(row[field]) for row in theirs}, field
    assert all(row[k] == round(row[k], 2) for row in ours for k in row if type(row[k]) is float)


@pytest.mark.parametrize("name", RETAILERS)
def test_health_needs_no_key_and_a_wrong_one_is_refused(name: str) -> None:
    health, wrong, others = send(
        name,
        {"method": "GET", "url": "/health"},
        request(name, DAY, key="wrong"),
        request(name, DAY, key=next(key for other, key in KEYS.items() if other != name)),
    )
    assert health.status_code == 200
    assert [(a.status_code, a.text) for a in (wrong, others)] == [
        (401, '{"error":"Unauthorized"}\n')
    ] * 2


def test_the_second_date_can_be_the_bad_one_and_a_missing_one_is_refused() -> None:
    asked = request("retailer_2", DAY)
    del asked["params"]["to"]
    bad, missing = send("retailer_2", request("retailer_2", DAY, "2024-02-30"), asked)
    assert (bad.status_code, missing.status_code) == (500, 400)
    first, line, mark, end = bad.json()["error"].split("\n")
    assert first == 'invalid input syntax for type date: "2024-02-30"'
    assert line[mark.index("^") :].startswith("'2024-02-3")
    assert end == ""
