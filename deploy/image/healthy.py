"""Whether the service of this container is well: its HEALTH_URL answers with a success.

A container engine runs it. The end is 0, or 1 with the reason on standard error. Standard library
only, as it runs every few seconds.
"""

import os
import sys
import urllib.request

_TIMEOUT_S = 4


def main() -> None:
    """Ask, and end."""
    url = os.environ["HEALTH_URL"]
    try:
        urllib.request.urlopen(url, timeout=_TIMEOUT_S).close()  # noqa: S310  (it is ours)
    except OSError as error:  # refused, timed out, or an answer such as 503
        sys.exit(f"{url}: {error}")


if __name__ == "__main__":
    main()
