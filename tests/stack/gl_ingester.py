"""Commands of the general ledger in children of a warm process, which may be killed at any time."""

import os
import sys
from typing import Any

from children import answer_orders, warm_up

from clearhouse.cli.commands import execute
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.postgres.engine import PostgresEngine
from clearhouse.gl.domain import GL


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Run `clearhouse` with the arguments and variables of an order; the code that it ends with."""
    os.environ.update(order["variables"])
    sys.argv = ["clearhouse", *order["arguments"]]
    sys.stdout = sys.stderr = open(order["log"], "a")  # noqa: SIM115, PTH123  (until it ends)
    try:
        execute()
    except SystemExit as ended:
        return {"exit_code": ended.code or 0}
    finally:
        sys.stdout.flush()
    return {"exit_code": None}


if __name__ == "__main__":
    warm_up(GL, PostgresEngine(SecretUrl.parse(sys.argv[1], ("postgresql",)), "ENGINE_URL"))
    answer_orders(obey)
