"""`python -m clearhouse.sandbox FILE`: the process that `running_sources` starts.

It reads the sources and their options from the file, prints their base URLs as one line of JSON,
and serves until its standard input ends. People use `clearhouse sandbox`.
"""

import json
import sys
from pathlib import Path

from clearhouse.core.deferred import leave_out
from clearhouse.core.errors import ClearhouseError
from clearhouse.sandbox.server import from_json, serve_sources


def main(request: Path) -> int:
    """Serves the sources that the file asks for. Returns the exit code."""
    leave_out("pandas")
    try:
        serve_sources(from_json(request.read_bytes()), on_ready=_print, until=sys.stdin.buffer)
    except ClearhouseError as error:
        print(error.message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _print(urls: dict[str, str]) -> None:
    print(json.dumps(urls), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
