"""Describe the topics of payments as AsyncAPI 3.0: docs/asyncapi/payments.yaml.

    python scripts/make_asyncapi.py

Topics and what they hold come from `payments.topics`, the form of messages from their types. The
file is committed; a test holds it to what this writes.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
import yaml

from clearhouse.payments.dead_letter import DeadLetter, Unmapped
from clearhouse.payments.event import PaymentEvent
from clearhouse.payments.retry_due import RetryDue
from clearhouse.payments.topics import TOPICS, Topic
from clearhouse.payments.webhook import StoredWebhook

FILE = Path(__file__).parents[1] / "docs" / "asyncapi" / "payments.yaml"
MESSAGES: Sequence[type[msgspec.Struct]] = (
    StoredWebhook,
    PaymentEvent,
    Unmapped,
    RetryDue,
    DeadLetter,
)

_HEAD = """\
# Made by scripts/make_asyncapi.py from the declared topics and the types of messages; not edited by
# hand.
"""
_DESCRIPTION = """\
What the services of payments say to each other through the event log. On a Kafka whose LOG_URL has
a path, that stands before each name, with a dot between. Messages of one key are in one partition,
in their order. Read with isolation.level=read_committed.
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def main() -> None:
    """Write the file."""
    FILE.write_text(rendered(), encoding="utf-8")


def rendered() -> str:
    """The file's text."""
    return _HEAD + yaml.dump(
        described(), Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True
    )


def described() -> dict[str, Any]:
    """The document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Payments", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"read.{topic.name}": _reading(topic) for topic in TOPICS},
        "components": {
            "messages": {each.__name__: _message(each) for each in MESSAGES},
            "schemas": _schemas(),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kept = "until all services have read it, and then " if topic.is_read_by_us else ""
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. A message is kept {kept}for {topic.days} days at least.",
        "messages": {topic.holds: {"$ref": f"#/components/messages/{topic.holds}"}},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": ["delete"]}}},
    }


def _reading(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": "receive",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{topic.holds}"}],
    }


def _message(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "summary": (kind.__doc__ or "").splitlines()[0],
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string"}}},
    }


def _schemas() -> Mapping[str, Any]:
    _, schemas = msgspec.json.schema_components(
        [_without_raw_defaults(each) for each in MESSAGES],
        ref_template="#/components/schemas/{name}",
    )
    return dict(sorted(schemas.items()))


def _without_raw_defaults(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same type, but for defaults that a schema can't say."""
    fields = [(each.name, each.type, _default(each)) for each in msgspec.structs.fields(kind)]
    return msgspec.defstruct(
        kind.__name__, fields, namespace={"__doc__": cleandoc(kind.__doc__ or "")}, kw_only=True
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    factory: Callable[[], Any] | Any = field.default_factory
    if isinstance(field.default, msgspec.Raw):
        return msgspec.json.decode(field.default)
    return msgspec.field(default=field.default, default_factory=factory)


if __name__ == "__main__":
    main()
