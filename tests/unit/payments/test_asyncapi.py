"""The description of the topics for who reads them: current, valid, and true of real messages."""

import json
from pathlib import Path

import jsonschema
import payment_notifications as n
import pytest
import yaml
from programs import loaded

from clearhouse.payments.topics import TOPICS

REPOSITORY = Path(__file__).parents[3]
MAKER = loaded("scripts/make_asyncapi.py")
DOCUMENT = yaml.safe_load(MAKER.FILE.read_text())


def test_the_committed_file_is_what_the_script_writes() -> None:
    assert MAKER.FILE.read_text() == MAKER.rendered(), "run python scripts/make_asyncapi.py"


def test_it_is_valid_and_has_every_topic() -> None:
    schema = json.loads((REPOSITORY / "tests/data/asyncapi/3.0.0.json").read_text())
    jsonschema.Draft7Validator(schema).validate(DOCUMENT)
    assert list(DOCUMENT["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        assert topic.holds in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("broken", [{}, {"body": 5}])
def test_a_message_is_as_its_schema_says_and_a_broken_one_is_not(broken: dict[str, object]) -> None:
    webhook = n.stripe("charge.captured", n.charge())
    messages = {
        "StoredWebhook": json.loads(MAKER.msgspec.json.encode(webhook)),
        "PaymentEvent": json.loads(MAKER.msgspec.json.encode(n.event_of(webhook))),
    }
    for name, message in messages.items():
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", **DOCUMENT}
        )
        assert validator.is_valid(message)
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/StoredWebhook", **DOCUMENT}
    )
    assert validator.is_valid({**messages["StoredWebhook"], **broken}) == (not broken)
