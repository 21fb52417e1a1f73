"""How records are put together to the body of an answer."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar


class Framing:
    """The shape of a body: a start, the records with something between them, an end.

    What a source makes of a day, its content, is an iterable of bytes: single records, or what the
    framing says.

    Attributes:
        between: what stands between two records.
        is_counted: whether the start names the number of records, so that it is needed first.
    """

    media_type: str
    between: ClassVar[bytes] = b""
    is_counted: bool = False

    def start(self, records: int) -> bytes:
        """What precedes the first record."""
        del records
        return b""

    def end(self) -> bytes:
        """What follows the last record."""
        return b""

    def blocks(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The content of a day as it is sent."""
        records = self.records(content)
        if records:
            yield self.between.join(records)

    def records(self, content: Iterable[bytes]) -> list[bytes]:
        """The content of a day as single records, each as it is sent."""
        return list(content)

    def count(self, content: Iterable[bytes]) -> int:
        """The number of records in the content of a day."""
        return len(self.records(content))


@dataclass(frozen=True)
class Lines(Framing):
    """Records with the same text before and after each: NDJSON, or an event stream.

    The content of a day is blocks of any number of framed records, so that a source that renders
    them in bulk doesn't have to take them apart.
    """

    prefix: bytes
    suffix: bytes
    media_type: str

    def blocks(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The content as it is."""
        return iter(content)

    def records(self, content: Iterable[bytes]) -> list[bytes]:
        """The framed records of the blocks."""
        return [self.join([text]) for text in self.split(b"".join(content))]

    def count(self, content: Iterable[bytes]) -> int:
        """As many records as there are suffixes."""
        return sum(block.count(self.suffix) for block in content)

    def split(self, block: bytes) -> list[bytes]:
        """The records of a block, without their framing."""
        return [text.removeprefix(self.prefix) for text in block.split(self.suffix) if text]

    def join(self, texts: Iterable[bytes]) -> bytes:
        """The block of these records."""
        return b"".join(b"%b%b%b" % (self.prefix, text, self.suffix) for text in texts)


@dataclass(frozen=True)
class JsonRows(Framing):
    """One JSON object with the records in a list under a key.

    The content of a day is texts of one record or of several, one a line; a record has no line
    break. So a source that renders records in bulk doesn't have to take them apart.

    Attributes:
        key: the key of the list.
        before, after: the other members of the object, on either side of the list.
        is_counted: whether the number of records, `count`, stands first.
        ending: what follows the object, for instance a line break.
    """

    key: str
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    is_counted: bool = False
    media_type: str = "application/json"
    ending: bytes = b""
    between: ClassVar[bytes] = b","

    def start(self, records: int) -> bytes:
        """The object up to its first record."""
        count = {"count": records} if self.is_counted else {}
        return _open_object({**count, **self.before, self.key: []}).removesuffix(b"]")

    def end(self) -> bytes:
        """The object after its last record."""
        return _open_object({self.key: [], **self.after}).partition(b"[")[2] + b"}" + self.ending

    def blocks(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The records with commas between them."""
        if texts := list(content):
            yield b"\n".join(texts).replace(b"\n", self.between)

    def records(self, content: Iterable[bytes]) -> list[bytes]:
        """The records of the texts."""
        return [record for text in content for record in text.split(b"\n")]

    def count(self, content: Iterable[bytes]) -> int:
        """One record more than each text has line breaks."""
        return sum(text.count(b"\n") + 1 for text in content)


def _open_object(members: Mapping[str, object]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode().removesuffix(b"}")
