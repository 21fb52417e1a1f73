"""Topics of a cluster, made as they are declared."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType, TopicDescription

from clearhouse.log.kafka.admin import Admin
from clearhouse.log.kafka.connection import MOST_BYTES_ON_THE_WIRE, SECONDS, Connection, Names
from clearhouse.log.log import LogError
from clearhouse.log.places import LogPlace, Prepared, Topic

_MILLISECONDS_OF_DAY = 86_400_000
_PAUSE_SECONDS = 0.05


def prepare_topics(place: LogPlace, topics: Sequence[Topic]) -> list[Prepared]:
    """Make the topics that a cluster lacks. See `prepare_log`."""
    connection = Connection(place)
    admin = Admin(connection)
    names = [_name(connection.names, topic) for topic in topics]
    before = admin.topics(names)
    missing = [
        (topic, name) for topic, name in zip(topics, names, strict=True) if before[name] is None
    ]
    if missing:
        _make(connection, admin, [_new(topic, name, place) for topic, name in missing])
    settings = _settings(admin, [name for name in names if before[name] is not None])
    return [
        _prepared(topic, name, before[name], settings.get(name, {}), place)
        for topic, name in zip(topics, names, strict=True)
    ]


def declared_settings(topic: Topic) -> dict[str, str]:
    """What a topic's settings should be on the server."""
    kept = -1 if topic.days is None else topic.days * _MILLISECONDS_OF_DAY
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(kept),
        "retention.bytes": "-1",  # or brokers with a limit would delete what nobody has read
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MOST_BYTES_ON_THE_WIRE),
    }


def _name(names: Names, topic: Topic) -> str:
    return names.of_source(topic.name) if topic.is_source else names.of(topic.name)


def _partitions(topic: Topic, place: LogPlace) -> int:
    return 1 if topic.is_source else place.partitions


def _new(topic: Topic, name: str, place: LogPlace) -> NewTopic:
    # Neither replicas nor how many of them must be in sync are said: the cluster's defaults hold.
    return NewTopic(name, _partitions(topic, place), config=declared_settings(topic))


def _make(connection: Connection, admin: Admin, missing: list[NewTopic]) -> None:
    made: Mapping[str, Future[None]] = admin.client.create_topics(
        missing, request_timeout=4 * SECONDS, operation_timeout=2 * SECONDS
    )
    for future in made.values():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another made it
                raise connection.told(error) from None
    _wait_until_known(admin, list(made))


def _wait_until_known(admin: Admin, names: Sequence[str]) -> None:
    """Brokers hear of a topic only after it was made: see that they answer for it.

    Raises:
        LogError: they don't.
    """
    give_up_at = time.monotonic() + 4 * SECONDS
    while not all(admin.topics(names).values()):
        if time.monotonic() > give_up_at:
            raise LogError(
                f"Kafka has made {', '.join(names)} and does not know of it yet: look at its "
                "brokers, and run this again."
            )
        time.sleep(_PAUSE_SECONDS)


def _settings(admin: Admin, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    found = admin.client.describe_configs(resources, request_timeout=SECONDS)
    return {
        resource.name: {key: entry.value for key, entry in admin.result(future).items()}
        for resource, future in found.items()
    }


def _prepared(
    topic: Topic,
    name: str,
    before: TopicDescription | None,
    settings: Mapping[str, str],
    place: LogPlace,
) -> Prepared:
    wanted = _partitions(topic, place)
    if before is None:
        return Prepared(topic, name, wanted, is_new=True)
    has = len(before.partitions)
    differences = [
        f"{key} is {settings.get(key)}, and {value} is declared"
        for key, value in declared_settings(topic).items()
        if settings.get(key) != value
    ]
    if has != wanted:
        differences.append(f"it has {has} partitions, and KAFKA_PARTITIONS is {wanted}")
    return Prepared(topic, name, has, is_new=False, differences=tuple(differences))
