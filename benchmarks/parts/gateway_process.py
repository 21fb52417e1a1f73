"""The gateway as a process of its own: `log` or `no_log`, port, file of the log.

As `clearhouse serve gateway` runs it, with one account, and where it is `no_log` a log that takes
everything and does nothing.
"""

import sys
from collections.abc import Sequence

import uvicorn
from pydantic import SecretStr

from benchmarks.parts.webhook_load import SECRET
from clearhouse.log.group_commit import GroupCommit
from clearhouse.log.log import Message, Progress
from clearhouse.log.opening import LogPlace
from clearhouse.payments.accounts import Account
from clearhouse.payments.event import Provider
from clearhouse.payments.gateway.app import GatewayOptions, create_app
from clearhouse.payments.gateway.run import _SECONDS_BETWEEN_THREADS


class _NoLog:
    """What the rest of the gateway costs."""

    def append(
        self, messages: Sequence[Message], progress: Progress | None = None
    ) -> Sequence[int]:
        return range(len(messages))

    def end(self, topic: str) -> int:
        return 0

    def appender(self) -> GroupCommit:
        return GroupCommit(self)

    def close(self) -> None:
        pass


def main(arguments: Sequence[str]) -> None:
    """Serve until ended."""
    what, port, file = arguments
    options = GatewayOptions(
        LogPlace(f"sqlite:///{file}"),
        [Account(Provider.STRIPE, secrets=(SecretStr(SECRET),))],
        open_log=_NoLog if what == "no_log" else None,
    )
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    uvicorn.run(
        create_app(options),
        port=int(port),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
