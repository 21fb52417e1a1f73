"""Reading a topic of one partition, for a log that keeps progress by itself."""

from collections.abc import Sequence

from clearhouse.log.log import Log, Message, Progress, Record


class KeptSubscription:
    """See `Subscription`. One process of a consumer comes further; the others are told so."""

    def __init__(self, log: Log, consumer: str, topic: str) -> None:
        self._log = log
        self._consumer = consumer
        self._topic = topic
        self._position: int | None = None

    def read(self, limit: int) -> Sequence[Record]:
        """See `Subscription.read`."""
        if self._position is None:
            self._position = self._log.progress(self._consumer, self._topic)
        return self._log.read(self._topic, self._position, limit)

    def commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """See `Subscription.commit`."""
        to = handled[-1].position + 1
        try:
            self._log.append(messages, Progress(self._consumer, self._topic, to))
        except Exception:
            self._position = None  # whether it was committed is the log's to say
            raise
        self._position = to

    def begin_commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """See `Subscription.begin_commit`. It is committed at once."""
        self.commit(handled, messages)

    def end_commit(self) -> None:
        """See `Subscription.end_commit`."""

    def close(self) -> None:
        """See `Subscription.close`. Nothing is held."""
