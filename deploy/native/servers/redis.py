"""Redis 7: a cache, and the fan-out of streams. No record is lost with what it holds."""

import signal
import subprocess

from deploy.native.debian import machine_or_debian
from deploy.native.fetch import Installed
from deploy.native.place import Place, write_private
from deploy.native.server import Launch

VERSION = "7.0.15"
OLDEST = (7, 0)
_PROGRAMS = ("redis-server", "redis-cli")
_PACKAGES = (
    f"redis-server=5:{VERSION}-*",
    f"redis-tools=5:{VERSION}-*",
    "libatomic1",
    "libjemalloc2",
    "liblzf1",
)

_SETTINGS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "appendonly": "yes",  # a restart keeps what is cached; a power cut may take the last second
    "save": '""',
    "maxmemory": "256mb",
    "maxmemory-policy": "volatile-lru",  # what was given no time to live is not evicted
}
_ANSWER_S = 5


class Redis:
    """The server, and how users of the stack reach it."""

    name = "redis"
    needs: tuple[str, ...] = ()
    default_port = 16379
    stop_signal = signal.SIGTERM  # writes what it holds

    def install(self) -> Installed:
        """The machine's Redis, or Debian's package of it in the cache."""
        return machine_or_debian(_PROGRAMS, OLDEST, VERSION, _PACKAGES)

    def prepare(self, place: Place) -> None:
        """A data folder, and the settings with the password: arguments can be seen by all users."""
        place.make_data(lambda _folder: None)
        settings = _SETTINGS | {"dir": f'"{place.data}"', "requirepass": place.secret("password")}
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_private(place.folder / "redis.conf", lines, place.identity)

    def launch(self, place: Place) -> Launch:
        """Libraries that came with it lie beside it."""
        command = ["./redis-server", str(place.folder / "redis.conf"), "--port", str(place.port)]
        return Launch(command, {"LD_LIBRARY_PATH": "."})

    def ailment(self, place: Place) -> str | None:
        """Whether it answers a PING with the password."""
        command = ["./redis-cli", "-h", "127.0.0.1", "-p", str(place.port), "PING"]
        env = {"REDISCLI_AUTH": place.secret("password"), "LD_LIBRARY_PATH": "."}
        try:
            done = subprocess.run(
                command,
                cwd=place.programs,
                env=env,
                capture_output=True,
                text=True,
                timeout=_ANSWER_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no answer within {_ANSWER_S} s"
        said = (done.stdout + done.stderr).strip()
        return None if said == "PONG" else (said or "no answer").splitlines()[-1]

    def settings(self, place: Place) -> dict[str, str]:
        """Its URL, in the form that clients of Redis take."""
        return {"REDIS_URL": f"redis://:{place.secret('password')}@127.0.0.1:{place.port}/0"}

    def secrets(self, place: Place) -> list[str]:
        """The password."""
        return [place.secret("password")]
