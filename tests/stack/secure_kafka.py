"""A Kafka that takes encrypted connections of known users alone: TLS, and SCRAM over it.

Who is not its administrator may do nothing that is not allowed by an ACL.
"""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.native.java import java
from deploy.native.servers.kafka import Kafka
from stack.certificates import Authority
from stack.commands import free_port

USER = "clearhouse"
_READY_SECONDS = 120


@contextmanager
def running(
    folder: Path, authority: Authority, password: str, others: Sequence[str] = ()
) -> Iterator[str]:
    """A broker for as long as the block lasts: its address.

    Args:
        folder: empty.
        authority: signs its certificate.
        password: of all users.
        others: users beside `USER`, who is the administrator.
    """
    port, inner, controller = free_port(), free_port(), free_port()
    signed = authority.sign("kafka")
    keystore = folder / "kafka.pem"
    keystore.write_bytes(signed.key.read_bytes() + signed.certificate.read_bytes())
    settings = folder / "server.properties"
    settings.write_text(
        f"""\
process.roles=broker,controller
node.id=1
listeners=SECURE://127.0.0.1:{port},INNER://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SECURE://127.0.0.1:{port},INNER://127.0.0.1:{inner}
listener.security.protocol.map=SECURE:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INNER
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={keystore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{USER};User:ANONYMOUS
log.dirs={folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
"""
    )
    command = [java(), "-Xmx512m", "-cp", f"{Kafka().install().programs}/*"]
    users = [
        word
        for name in (USER, *others)
        for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
    ]
    formatting = ["format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(settings)]
    subprocess.run(
        [*command, "kafka.tools.StorageTool", *formatting, *users],
        check=True,
        capture_output=True,
    )
    output = folder / "output"
    with output.open("wb") as out:
        broker = subprocess.Popen([*command, "kafka.Kafka", str(settings)], stdout=out, stderr=out)
    try:
        give_up_at = time.monotonic() + _READY_SECONDS
        while not _listens(int(port)):
            assert broker.poll() is None, output.read_text()
            assert time.monotonic() < give_up_at, output.read_text()
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        broker.terminate()
        broker.wait()


def run_acls(command: Sequence[str], authority: Authority, password: str, folder: Path) -> None:
    """Run a command of `kafka-acls.sh`, whose settings are in admin.properties, as administrator.

    Args:
        command: with its first word.
        authority: signs the broker's certificate.
        password: of `USER`.
        folder: where its settings are written to.
    """
    settings = folder / "admin.properties"
    settings.write_text(
        f"""\
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username="{USER}" password="{password}";
ssl.truststore.type=PEM
ssl.truststore.location={authority.file}
"""
    )
    quick = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{Kafka().install().programs}/*")
    subprocess.run(
        [java(), *quick, "org.apache.kafka.tools.AclCommand", *command[1:]],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
