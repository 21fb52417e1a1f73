"""What a log is opened with: where it is, and the topics that it has."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_MAX_BYTES = 64 << 30


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic, as it is declared.

    Attributes:
        days: how long its messages stay at least; None: until `Log.age_out` forgets them, as they
            must have been read by all.
        is_source: it has no messages. It names something else that a consumer of this log reads,
            such as the outbox of a store, so that progress in it can be kept here.
    """

    name: str
    days: int | None = None
    is_source: bool = False


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where a log is, and how it is reached.

    Attributes:
        url: `sqlite:///<path>`, or `kafka://host:port[,host:port]/[prefix]`; `kafka+ssl://…` by
            TLS. The prefix stands before every name on the server: one server holds many logs.
        max_bytes: what a local log may grow to.
        partitions: of each topic that is made on a server.
        user, password: for SASL; None: without.
        mechanism: of SASL.
        ca_file: of the authority that signs a server's certificate; None: those of the system.
    """

    url: str
    max_bytes: int = DEFAULT_MAX_BYTES
    partitions: int = 4
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a topic is now.

    Attributes:
        topic: as declared.
        name: on the server.
        partitions: that it has.
        is_new: it was made just now.
        differences: of what it is and what is declared, each in a sentence. They are left as they
            are: who runs the server may want them.
    """

    topic: Topic
    name: str
    partitions: int
    is_new: bool
    differences: Sequence[str] = ()
