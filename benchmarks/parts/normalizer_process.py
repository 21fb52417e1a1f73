"""A normalizer as a process of its own, without the archive beside it: `normalizer`, log, landing.

It handles webhooks as they come, until it is ended.
"""

import sys
from collections.abc import Sequence
from contextlib import closing

from clearhouse.core.loops import until_a_signal
from clearhouse.landing.store import Landing
from clearhouse.log.places import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.loop import Normalizer


def main(arguments: Sequence[str]) -> None:
    """Normalize until ended."""
    _, url, landing = arguments
    with (
        closing(open_payment_log(LogPlace(url))) as log,
        closing(Normalizer(log, Landing.from_url(landing))) as normalizer,
        until_a_signal() as stop,
    ):
        normalizer.run_until(stop)


if __name__ == "__main__":
    main(sys.argv[1:])
