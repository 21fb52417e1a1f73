"""The command line: `python -m deploy.native up | status | down`."""

import argparse
import os
import sys
from pathlib import Path

from deploy.native import stack
from deploy.native.place import Home, StackError
from deploy.native.server import Server
from deploy.native.servers import SERVERS, chosen

_CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run one command; 0: done (status: all servers run), 1: not."""
    parser = argparse.ArgumentParser(prog="python -m deploy.native", description=__doc__)
    parser.add_argument("command", choices=("up", "status", "down"))
    command = parser.parse_args().command
    home = Home(Path(os.environ.get("STACK_HOME") or _CHECKOUT / ".stack").absolute())
    try:
        if not sys.platform.startswith("linux"):
            raise StackError("The native stack needs Linux: use deploy/compose/compose.yaml here.")
        return {"up": _up, "status": _status, "down": _down}[command](home)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _chosen() -> tuple[Server, ...]:
    return chosen(os.environ.get("STACK_SERVERS", ""))


def _up(home: Home) -> int:
    for name, value in stack.up(home, _chosen()).items():
        print(f"{name}={value}")
    print(f"To use it, secrets included: set -a; . {home.env_file}; set +a")
    return 0


def _status(home: Home) -> int:
    all_run = True
    for server in stack.status(home, _chosen()):
        all_run = all_run and server.state == "running"
        line = f"{server.name:<14}{server.state:<9}"
        if server.record:
            record = server.record
            line += f"{record.version:<9}port {record.port:<7}process {record.pid:<9}"
        print(f"{line}log {server.log}")
        if server.reason:
            print(f"{'':<14}{server.reason}")
    print(f"data {home.folder}, settings {home.env_file}")
    return 0 if all_run else 1


def _down(home: Home) -> int:
    stack.down(home, SERVERS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
