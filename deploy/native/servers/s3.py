"""An S3-compatible object store: versitygw over a local folder. A bucket is a folder there.

It keeps what S3 says of an object in extended attributes, which the file system must have.
"""

import signal
from pathlib import Path

from deploy.native.fetch import Installed, go_programs
from deploy.native.health import answers
from deploy.native.place import Place, make_folder
from deploy.native.server import Launch

PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
VERSION = "v1.8.0"
REGION = "us-east-1"
BUCKET = "clearhouse"
_HEALTH = "/health"


class S3:
    """The server, and how users of the stack reach it."""

    name = "s3"
    needs: tuple[str, ...] = ()
    default_port = 17070
    stop_signal = signal.SIGTERM

    def install(self) -> Installed:
        """Built from the Go module proxy."""
        return go_programs("versitygw", VERSION, PACKAGE)

    def prepare(self, place: Place) -> None:
        """One bucket, and a folder of accounts."""
        make_folder(self._accounts(place), place.identity)

        def fill(data: Path) -> None:
            make_folder(data / BUCKET, place.identity)

        place.make_data(fill)

    def launch(self, place: Place) -> Launch:
        """Keys go by the environment: arguments can be seen by every user of the machine.

        Without accounts it answers an unknown access key with 404, which a client takes for an
        object that isn't there; with them 403, as S3 does.
        """
        options = ["--port", f"127.0.0.1:{place.port}", "--region", REGION, "--quiet"]
        options += ["--health", _HEALTH, "--iam-dir", str(self._accounts(place))]
        return Launch(
            ["./versitygw", *options, "posix", str(place.data)],
            {
                "ROOT_ACCESS_KEY_ID": place.secret("access_key"),
                "ROOT_SECRET_ACCESS_KEY": place.secret("secret_key"),
            },
        )

    def ailment(self, place: Place) -> str | None:
        """Whether its health page answers."""
        return answers(place.port, _HEALTH)

    def settings(self, place: Place) -> dict[str, str]:
        """The landing, and where the standard chain of credentials finds the store."""
        return {
            "LANDING_URL": f"s3://{BUCKET}/landing",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{place.port}",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": place.secret("access_key"),
            "AWS_SECRET_ACCESS_KEY": place.secret("secret_key"),
        }

    def secrets(self, place: Place) -> list[str]:
        """The secret key; the access key is a name."""
        return [place.secret("secret_key")]

    def _accounts(self, place: Place) -> Path:
        return place.folder / "accounts"
