"""Alertmanager: gathers Prometheus's alerts, and sends them to people.

Whom it tells, and of what, is in `deploy/prometheus/alertmanager.yml`.
"""

import shutil
import signal

from deploy.native.fetch import Installed, go_programs
from deploy.native.health import answers
from deploy.native.place import Place
from deploy.native.server import Launch
from deploy.native.servers.prometheus import CONFIGURATION

VERSION = "v0.28.1"
_SERVER = "github.com/prometheus/alertmanager/cmd/alertmanager"
_TOOL = "github.com/prometheus/alertmanager/cmd/amtool"


class Alertmanager:
    """The server, and how users of the stack reach it."""

    name = "alertmanager"
    needs: tuple[str, ...] = ()
    default_port = 19093
    stop_signal = signal.SIGTERM  # writes its silences

    def install(self) -> Installed:
        """The server and amtool, built from the Go module proxy.

        Debian's program reads templates from where its package is installed: it can't be unpacked.
        """
        return go_programs("alertmanager", VERSION, _SERVER, _TOOL)

    def prepare(self, place: Place) -> None:
        """A data folder, and a copy of the configuration: its user may not enter the checkout."""
        place.make_data(lambda _folder: None)
        shutil.copyfile(CONFIGURATION / "alertmanager.yml", place.folder / "alertmanager.yml")

    def launch(self, place: Place) -> Launch:
        """It has no password: it listens on loopback, and has no second one to talk to."""
        return Launch(
            [
                "./alertmanager",
                f"--config.file={place.folder / 'alertmanager.yml'}",
                f"--storage.path={place.data}",
                f"--web.listen-address=127.0.0.1:{place.port}",
                "--cluster.listen-address=",
                "--log.level=warn",
            ]
        )

    def ailment(self, place: Place) -> str | None:
        """Whether it says that it is ready."""
        return answers(place.port, "/-/ready")

    def settings(self, place: Place) -> dict[str, str]:
        """Its URL."""
        return {"ALERTMANAGER_URL": f"http://127.0.0.1:{place.port}"}

    def secrets(self, place: Place) -> list[str]:
        """None."""
        del place
        return []
