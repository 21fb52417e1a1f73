"""`exporter`."""

from contextlib import closing, suppress
from typing import Annotated

import typer

from clearhouse.cli.app import out, settings
from clearhouse.exporter.server import HOST, PORT, exporting, utc_now
from clearhouse.payments.watched import PaymentsCollector


def exporter(
    port: Annotated[
        int, typer.Option(help="To listen at. 0 takes a free one.", min=0, max=65535)
    ] = PORT,
    host: Annotated[
        str, typer.Option(help="Address to listen at. It asks for no password.")
    ] = HOST,
) -> None:
    """Serve metrics of the books of all domains to Prometheus, until it is stopped."""
    config = settings()
    payments = PaymentsCollector(config, utc_now)
    with (
        closing(payments),
        exporting(config, host, port, others=[payments]) as (url, thread),
        suppress(KeyboardInterrupt),  # the way to end a server
    ):
        out.print(f"metrics of the books at {url}", soft_wrap=True)
        thread.join()
