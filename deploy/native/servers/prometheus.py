"""Prometheus 2: scrapes the exporter of the books and the services.

What it scrapes, and its rules, are those of `deploy/prometheus`; where each listens is said by
STACK_EXPORTER_TARGETS, STACK_GL_TARGETS and so on, when it starts. Where Alertmanager and Temporal
of the same stack listen is known.
"""

import json
import os
import re
import shutil
import signal
from pathlib import Path

from deploy.native.debian import machine_or_debian
from deploy.native.fetch import Installed
from deploy.native.health import answers
from deploy.native.place import Place, StackError, make_folder
from deploy.native.server import Launch
from deploy.native.servers.temporal import metrics_address

VERSION = "2.42.0"
OLDEST = (2, 42)
CONFIGURATION = Path(__file__).resolve().parents[2] / "prometheus"
TARGETS = {
    "exporter": "127.0.0.1:19100",
    "gl": "127.0.0.1:8000",
    "gateway": "127.0.0.1:8080",
    "normalizer": "127.0.0.1:8005",
    "starter": "127.0.0.1:8007",
    "worker": "127.0.0.1:8006",
    "inference": "127.0.0.1:8004",
}
"""By the name of the file that prometheus.yml reads: where each listens by default."""

_NOWHERE = "none"

_PROGRAMS = ("prometheus", "promtool")
_PACKAGES = (f"prometheus={VERSION}*",)
_HOSTS_AND_PORTS = re.compile(r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*", re.ASCII)


class Prometheus:
    """The server, and how users of the stack reach it."""

    name = "prometheus"
    needs: tuple[str, ...] = ("alertmanager",)
    default_port = 19090
    stop_signal = signal.SIGTERM

    def install(self) -> Installed:
        """The machine's Prometheus, or Debian's package of it in the cache."""
        return machine_or_debian(_PROGRAMS, OLDEST, VERSION, _PACKAGES)

    def prepare(self, place: Place) -> None:
        """A data folder, and a copy of the configuration with the targets of this stack.

        A copy, since its user may not enter the checkout.
        """
        place.make_data(lambda _folder: None)
        staged = place.folder / "etc.new"
        shutil.rmtree(staged, ignore_errors=True)
        for folder in (staged, staged / "rules", staged / "targets"):
            make_folder(folder, place.identity)
        shutil.copyfile(CONFIGURATION / "prometheus.yml", staged / "prometheus.yml")
        for rules in (CONFIGURATION / "rules").glob("*.yml"):
            shutil.copyfile(rules, staged / "rules" / rules.name)
        targets = {name: _targets(name, default) for name, default in TARGETS.items()}
        targets["alertmanager"] = [f"127.0.0.1:{place.peers['alertmanager'].port}"]
        temporal = place.peers.get("temporal")
        targets["temporal"] = [] if temporal is None else [metrics_address(temporal)]
        for name, addresses in targets.items():
            text = json.dumps([{"targets": addresses}])  # also YAML
            (staged / "targets" / f"{name}.yml").write_text(text)
        shutil.rmtree(self._configuration(place), ignore_errors=True)
        staged.rename(self._configuration(place))

    def launch(self, place: Place) -> Launch:
        """It has no password: it listens on loopback, and takes no changes from there."""
        return Launch(
            [
                "./prometheus",
                f"--config.file={self._configuration(place) / 'prometheus.yml'}",
                f"--storage.tsdb.path={place.data}",
                "--storage.tsdb.retention.time=30d",
                "--storage.tsdb.retention.size=1GB",
                f"--web.listen-address=127.0.0.1:{place.port}",
                r"--web.cors.origin=http://(127\.0\.0\.1|localhost)(:\d+)?",  # else any web page
                "--log.level=warn",
            ]
        )

    def ailment(self, place: Place) -> str | None:
        """Whether it has loaded its data and answers queries."""
        return answers(place.port, "/-/ready")

    def settings(self, place: Place) -> dict[str, str]:
        """Its URL."""
        return {"PROMETHEUS_URL": f"http://127.0.0.1:{place.port}"}

    def secrets(self, place: Place) -> list[str]:
        """None."""
        del place
        return []

    def _configuration(self, place: Place) -> Path:
        return place.folder / "etc"


def _targets(name: str, default: str) -> list[str]:
    """Where a target listens, in as many processes as serve it; `none` for one that does not run.

    Raises:
        StackError: the variable does not say so.
    """
    variable = f"STACK_{name.upper()}_TARGETS"
    text = os.environ.get(variable) or default
    if text == _NOWHERE:
        return []
    if not _HOSTS_AND_PORTS.fullmatch(text):
        raise StackError(f"{variable}={text} is no list of HOST:PORT, separated by commas.")
    return text.split(",")
