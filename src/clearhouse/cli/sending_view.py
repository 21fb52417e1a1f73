"""What a person sees while webhooks are sent: a live table in a terminal, elsewhere lines."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from clearhouse.cli.app import err
from clearhouse.cli.heartbeat import heartbeat
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.sender import NO_ANSWER, SendReport

_A_SECOND = 4  # refreshes
_NAMES = {
    Provider.STRIPE: "Stripe",
    Provider.ADYEN: "Adyen",
    Provider.SQUARE: "Square",
    Provider.PAYPAL: "PayPal",
}


@contextmanager
def view(report: SendReport, total: int) -> Iterator[None]:
    """Show a report for as long as the block lasts.

    Args:
        report: filled in meanwhile.
        total: how many requests there are.
    """
    if err.is_terminal:
        with Live(
            get_renderable=lambda: _table(report, total), console=err, refresh_per_second=_A_SECOND
        ):
            yield
        return
    heartbeat.at(lambda _seconds: _in_words(report, total))
    try:
        yield
    finally:
        heartbeat.at(None)


def _table(report: SendReport, total: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("provider")
    for name in ("sent", "acknowledged", "refused", "redelivered"):
        table.add_column(name, justify="right")
    columns = (report.sent, report.taken, report.refused, report.redelivered)
    for provider, name in _NAMES.items():
        table.add_row(name, *(f"{each[provider]:,}" for each in columns))
    sums = [sum(each.values()) for each in columns]
    table.add_row("all", *(f"{each:,}" for each in sums), style="bold")
    table.caption = f"{sums[1] / total:.0%} of {total:,}; {answers(report)}"
    return table


def answers(report: SendReport) -> str:
    """How many requests got which status."""
    found = sorted(report.statuses.items())
    told = (
        (f"{n:,} × {status}" if status != NO_ANSWER else f"{n:,} requests without one")
        for status, n in found
    )
    return "answers: " + (", ".join(told) or "none yet")


def _in_words(report: SendReport, total: int) -> str:
    return (
        f"{sum(report.taken.values()):,} of {total:,} acknowledged, "
        f"{sum(report.refused.values()):,} refused, "
        f"{sum(report.redelivered.values()):,} sent again"
    )
