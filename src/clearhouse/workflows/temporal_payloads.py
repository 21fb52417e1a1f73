"""What goes to a Temporal server and comes from it: JSON, read strictly into the declared types."""

from typing import Any

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
)


class MsgspecPayloadConverter(EncodingPayloadConverter):
    """Values as JSON by msgspec."""

    @property
    def encoding(self) -> str:
        """The name of the encoding: other converters and Temporal's own page read it too."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload:
        """A value as the server keeps it."""
        return Payload(metadata={"encoding": b"json/plain"}, data=msgspec.json.encode(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value of a payload.

        Raises:
            msgspec.DecodeError: it is none of the type.
        """
        return msgspec.json.decode(payload.data, type=Any if type_hint is None else type_hint)


class _PayloadConverter(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(MsgspecPayloadConverter())


CONVERTER = DataConverter(payload_converter_class=_PayloadConverter)
