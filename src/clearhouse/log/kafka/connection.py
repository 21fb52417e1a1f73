"""How a cluster is reached, how its names are made, and what its errors mean to a person."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import LogError
from clearhouse.log.places import LogPlace

SECONDS = 5.0
"""That an answer of the cluster is waited for."""
MOST_BYTES_ON_THE_WIRE = 5 << 20
"""Of a message with its key, its headers and what Kafka adds."""

_MILLISECONDS = int(SECONDS * 1000)
_CAUSE_SECONDS = 60.0
"""For which what a connection has suffered from may be why there is no answer. While it goes on, a
client of librdkafka 2.16 says so every 30 s."""
_BUFFERED_KIB = 32 << 10
_REFUSED = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
_NOT_ALLOWED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_GONE = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
_SILENT = {
    KafkaError._TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._NOENT,
    KafkaError._ALL_BROKERS_DOWN,
}
_NOT_IN_A_NAME = re.compile(r"[^\w.-]", re.ASCII)
_log = structlog.get_logger()


class _Logger:
    """Takes what a client would write to stderr. What matters of it comes as errors too."""

    def log(self, level: int, text: str, *values: object) -> None:
        _log.debug("kafka_client", level=level, text=text % values)


_LOGGER = _Logger()


@dataclass(frozen=True, slots=True)
class Names:
    """Names on the server: those of one log have a prefix of their own, if it is given one."""

    prefix: str

    def of(self, name: str) -> str:
        """The name of a topic, a consumer group or a transaction's writer."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def of_source(self, source: str) -> str:
        """The topic without messages that holds progress in a source that is no topic."""
        return self.of(f"progress.{_NOT_IN_A_NAME.sub('-', source)}")


class Connection:
    """What every client of a cluster is made with.

    Args:
        place: names the cluster, and how clients are known there.

    Raises:
        SettingsError: it can't be used.
    """

    def __init__(self, place: LogPlace) -> None:
        scheme, _, rest = place.url.partition("://")
        self.servers, _, prefix = rest.partition("/")
        self.names = Names(prefix)
        self._place = place
        self._is_encrypted = scheme == "kafka+ssl"
        self._security = self._security_settings()
        self._last_error: tuple[KafkaError, float] | None = None

    def settings(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a client: those of the cluster, and its own."""
        return {
            "bootstrap.servers": self.servers,
            "client.id": "clearhouse",
            "socket.timeout.ms": _MILLISECONDS,
            # Known brokers are kept when none answers. By default librdkafka 2.16 forgets them, and
            # a call that is under way may then never return.
            "metadata.recovery.strategy": "none",
            "reconnect.backoff.ms": 100,
            "reconnect.backoff.max.ms": 1_000,
            "logger": _LOGGER,
            "error_cb": self.note,
            **self._security,
            **own,
        }

    def producer_settings(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a producer: what it says is appended has been taken by all replicas."""
        return self.settings(
            {
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": _MILLISECONDS,
                "message.max.bytes": MOST_BYTES_ON_THE_WIRE,
                "queue.buffering.max.kbytes": 4 * _BUFFERED_KIB,
                "partitioner": "murmur2_random",  # as Java's: others find a key where we do
                **own,
            }
        )

    def consumer_settings(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a consumer: of transactions it sees those that are committed."""
        return self.settings(
            {
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "queued.max.messages.kbytes": _BUFFERED_KIB,
                "fetch.queue.backoff.ms": 10,
                "fetch.error.backoff.ms": 100,
                **own,
            }
        )

    def note(self, error: KafkaError) -> None:
        """Take note of what a client says of its connections: it names the cause of time-outs."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last_error = error, time.monotonic()
        _log.debug("kafka_client", error=error.name())

    def told(self, told: KafkaError | KafkaException) -> LogError:
        """An error of a client, in a sentence."""
        error: KafkaError = told.args[0] if isinstance(told, KafkaException) else told
        cause, self._last_error = self._cause(), None
        for known in (error, cause):
            if known is not None and known.code() in _NOT_ALLOWED:
                return LogError(
                    f"Kafka at {self.servers} does not allow this user what the log needs "
                    f"({known.name()}): `clearhouse payments acls` prints the rights.",
                    "log_not_allowed",
                )
        if (refusal := self._refusal(error)) is not None:
            return refusal
        for known in (error, cause):
            if known is not None and known.code() in _REFUSED:
                return self._refused()
            if known is not None and known.code() == KafkaError._SSL:
                return self._untrusted()
        if error.code() in _SILENT:
            return self._silent()
        return LogError(
            f"Kafka at {self.servers} does not answer as it should ({error.name()}: {error.str()})."
        )

    def _cause(self) -> KafkaError | None:
        """What connections suffer from now, and not what they have recovered from long ago."""
        last = self._last_error  # read once: another thread may take it
        if last is None:
            return None
        error, at = last
        return error if time.monotonic() - at <= _CAUSE_SECONDS else None

    def _refusal(self, error: KafkaError) -> LogError | None:
        """What an answer of the cluster means that says what is wrong; None of any other."""
        if error.code() in _GONE:
            return LogError(
                f"Kafka at {self.servers} lacks a topic of the log: run `clearhouse payments "
                "prepare`.",
                "log_not_prepared",
            )
        if error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT:
            return LogError(
                f"Kafka at {self.servers} has an open transaction that moves what is asked for, "
                "and it does not end. Try again later.",
                "log_unsettled",
            )
        return None

    def _silent(self) -> LogError:
        scheme = "" if self._is_encrypted else ", as kafka+ssl:// if it speaks TLS"
        user = "" if self._place.user else ". KAFKA_USERNAME is unset: does it want one?"
        return LogError(
            f"Kafka at {self.servers} does not answer: see that it runs, and that LOG_URL names "
            f"it{scheme}{user or '.'}"
        )

    def _refused(self) -> LogError:
        if self._place.user is None:
            return LogError(
                f"Kafka at {self.servers} wants to know its clients: set KAFKA_USERNAME and "
                "KAFKA_PASSWORD.",
                "log_refused",
            )
        return LogError(
            f"Kafka at {self.servers} refuses the user {self._place.user}: check KAFKA_USERNAME, "
            "KAFKA_PASSWORD and KAFKA_SASL_MECHANISM.",
            "log_refused",
        )

    def _untrusted(self) -> LogError:
        return LogError(
            f"The certificate of Kafka at {self.servers} can't be trusted, or it speaks no TLS: "
            "set KAFKA_CA_FILE to the certificates that sign it, and name it in LOG_URL as its "
            "certificate does.",
            "log_untrusted",
        )

    def _security_settings(self) -> dict[str, Any]:
        place = self._place
        if (place.user is None) != (place.password is None):
            raise SettingsError("Set KAFKA_USERNAME and KAFKA_PASSWORD, both or neither.")
        if place.user is not None and place.mechanism == "PLAIN" and not self._is_encrypted:
            raise SettingsError(
                "KAFKA_SASL_MECHANISM=PLAIN sends the password for all to read: use kafka+ssl:// "
                "in LOG_URL, or SCRAM-SHA-512."
            )
        protocol = "SSL" if self._is_encrypted else "PLAINTEXT"
        found: dict[str, Any] = {"security.protocol": protocol}
        if self._is_encrypted and place.ca_file is not None:
            if not place.ca_file.is_file():
                raise SettingsError(f"KAFKA_CA_FILE={place.ca_file} is no file.")
            found["ssl.ca.location"] = str(place.ca_file)
        if place.user is not None:
            found |= {
                "security.protocol": f"SASL_{protocol}",
                "sasl.mechanism": place.mechanism,
                "sasl.username": place.user,
                "sasl.password": place.password,
            }
        return found
