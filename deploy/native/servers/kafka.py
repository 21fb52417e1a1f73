"""Kafka 4: the log between services. One node, which is broker and controller (KRaft).

What it has acknowledged outlives its process. It is not forced to the disk by each message, and
there is no replica: a power cut may take the last seconds.
"""

import base64
import secrets
import signal
import socket
import struct
import subprocess
from pathlib import Path

from deploy.native.fetch import Installed
from deploy.native.java import java, maven_jars
from deploy.native.place import Place, StackError
from deploy.native.server import Launch

VERSION = "4.3.1"
_LOG4J = "2.25.1"
_ARTIFACTS = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.kafka:kafka-tools:{VERSION}",
    f"org.apache.logging.log4j:log4j-slf4j-impl:{_LOG4J}",
    f"org.apache.logging.log4j:log4j-core:{_LOG4J}",
)

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENTS",
    "controller.listener.names": "CONTROLLER",
    # A topic has the partitions and the retention that it was made with, not those of a guess.
    "auto.create.topics.enable": "false",
    # A consumer's progress never expires: one that was away for longer than the default of a week
    # would skip what arrived meanwhile, or read all of it again. This is the highest value.
    "offsets.retention.minutes": "2147483647",
    "group.initial.rebalance.delay.ms": "0",  # no second consumer to wait for at a start
    # There is one node to hold Kafka's own topics, and few who write to them.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",  # of the heap; the default is 128 MB
}
_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.output.ref = output
appender.output.type = Console
appender.output.name = output
appender.output.layout.type = PatternLayout
appender.output.layout.pattern = %d %p %c: %m%n
"""
_HEAP = ("-Xms128m", "-Xmx512m")
_FOR_A_MOMENT = ("-Xmx128m", "-XX:TieredStopAtLevel=1")  # of a tool that ends before it pays off
_ANSWER_S = 5
_METADATA, _METADATA_VERSION = 3, 1


class Kafka:
    """The server, and how users of the stack reach it."""

    name = "kafka"
    needs: tuple[str, ...] = ()
    default_port = 19092
    stop_signal = signal.SIGTERM  # closes its logs, which it would else check at the next start

    def install(self) -> Installed:
        """Its jars from Maven Central; Java is the machine's."""
        java()
        return maven_jars("kafka", VERSION, *_ARTIFACTS)

    def prepare(self, place: Place) -> None:
        """Its settings, and a formatted data folder."""
        (place.folder / "log4j2.properties").write_text(_LOGGING)
        (controller,) = place.own_ports(1)
        settings = SETTINGS | {
            "listeners": f"CLIENTS://127.0.0.1:{place.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{place.port}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        }
        _write_settings(place, settings, place.data)

        def fill(data: Path) -> None:
            _write_settings(place, settings, data)
            _format(place)
            _write_settings(place, settings, place.data)

        place.make_data(fill)

    def launch(self, place: Place) -> Launch:
        """It has no password: it listens on loopback."""
        return Launch(_command(place, _HEAP, "kafka.Kafka", str(_settings_file(place))))

    def ailment(self, place: Place) -> str | None:
        """Whether it says of itself, when asked for its metadata, that it is in service."""
        try:
            brokers = _brokers(place.port)
        except (OSError, struct.error) as error:
            return str(error) or type(error).__name__
        return None if brokers else "no broker is in service"

    def settings(self, place: Place) -> dict[str, str]:
        """The log's URL."""
        return {"LOG_URL": f"kafka://127.0.0.1:{place.port}"}

    def secrets(self, place: Place) -> list[str]:
        """None."""
        del place
        return []


def _settings_file(place: Place) -> Path:
    return place.folder / "server.properties"


def _write_settings(place: Place, settings: dict[str, str], data: Path) -> None:
    lines = (f"{name}={value}\n" for name, value in {**settings, "log.dirs": str(data)}.items())
    _settings_file(place).write_text("".join(lines))


def _command(place: Place, options: tuple[str, ...], main: str, *arguments: str) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={place.folder / 'log4j2.properties'}"
    return [java(), *options, logging, "-cp", f"{place.own_programs()}/*", main, *arguments]


def _format(place: Place) -> None:
    """Write what a node's data folder must hold before its first start.

    Raises:
        StackError: it can't be written.
    """
    # As Kafka writes ids; the first byte keeps it from starting with a dash.
    cluster = base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).decode().rstrip("=")
    arguments = ["format", "--cluster-id", cluster, "--config", str(_settings_file(place))]
    done = subprocess.run(
        _command(place, _FOR_A_MOMENT, "kafka.tools.StorageTool", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        check=False,
        **place.identity,
    )
    if done.returncode != 0:
        raise StackError(f"Kafka's data folder could not be formatted: {done.stdout.strip()}")


def _brokers(port: int) -> int:
    """How many brokers the one on 127.0.0.1 knows in service, itself included.

    Raises:
        OSError: it does not answer.
    """
    # The header (key, version, correlation id, no client id), and an empty list of topics.
    request = struct.pack(">hhihi", _METADATA, _METADATA_VERSION, 1, -1, 0)
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answer:
            _size, _correlation, brokers = struct.unpack(">iii", answer.read(12))
    return int(brokers)
