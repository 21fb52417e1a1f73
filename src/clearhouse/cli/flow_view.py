"""What a person sees of services that run under a supervisor: a live table, or plain lines."""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import err
from clearhouse.core.errors import ClearhouseError, first_line
from clearhouse.core.supervisor import Running, State
from clearhouse.payments.flow import Flow

_TERMINAL_SECONDS = 0.5
_LINES_SECONDS = 5.0
_MOST_SHARE = 0.05
"""Of the time that measuring may take: counting many rows is not done twice a second."""

_COLOURS = {State.RUNNING: "green", State.WAITING: "yellow", State.STOPPED: "dim"}


class View(Protocol):
    """What is shown while services run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def tell(self, name: str, line: str) -> None:
        """Show a line of a service."""
        ...

    def show(self, running: Sequence[Running], flow: Flow | str) -> None:
        """Show the services, and the flow or why it can't be read."""
        ...


class Looking:
    """Measures the flow from time to time and shows it.

    Args:
        running: the services.
        measure: the flow as it is; it may raise what a log or a store does.
    """

    def __init__(self, view: View, running: Sequence[Running], measure: Callable[[], Flow]) -> None:
        self._view = view
        self._running = running
        self._measure = measure
        self._next_at = 0.0

    def __call__(self) -> None:
        """Measure and show, where it is time."""
        begun = time.monotonic()
        if begun < self._next_at:
            return
        try:
            flow: Flow | str = self._measure()
        except ClearhouseError as error:
            flow = error.message
        except Exception as error:  # noqa: BLE001  (a view must not end what it shows)
            flow = first_line(error)
        self._view.show(self._running, flow)
        took = time.monotonic() - begun
        self._next_at = begun + max(_TERMINAL_SECONDS, took / _MOST_SHARE)


class TerminalView:
    """A table that stays at the foot of the terminal; lines of the services go by above it."""

    def __init__(self) -> None:
        self._live = Live(console=err, auto_refresh=False, transient=False)
        self._rates = _Rates()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def tell(self, name: str, line: str) -> None:
        """A line of a service."""
        self._live.console.print(f"[dim]{name:<10}[/] {escape(line)}", soft_wrap=True)

    def show(self, running: Sequence[Running], flow: Flow | str) -> None:
        """The table anew."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("service")
        table.add_column("state")
        for column in ("restarts", "done", "a second", "to do", "dead letters"):
            table.add_column(column, justify="right")
        for each in running:
            state = f"[{_COLOURS[each.state]}]{each.state}[/]"
            figures = [""] * 4
            if isinstance(flow, Flow) and (found := _figures(each.child.name, flow)):
                done, to_do, dead = found
                rate = self._rates.of(each.child.name, done)
                figures = [f"{done:,}", f"{rate:,.0f}", to_do, f"{dead:,}" if dead else "–"]
            table.add_row(each.child.name, state, str(each.restarts or "–"), *figures)
        if isinstance(flow, str):
            table.caption = escape(flow)
        self._live.update(table, refresh=True)


class LineView:
    """A line for each line of a service, and one for the flow every few seconds where it moves."""

    def __init__(self) -> None:
        self._said = ""
        self._next_at = 0.0
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def tell(self, name: str, line: str) -> None:
        """A line of a service."""
        with self._one_at_a_time:
            err.print(f"[{name}] {line}", markup=False, soft_wrap=True)

    def show(self, running: Sequence[Running], flow: Flow | str) -> None:
        """The flow in one line, where it is time and something has moved."""
        said = flow if isinstance(flow, str) else _in_words(flow)
        if restarts := sum(each.restarts for each in running):
            said += f", {restarts} restarts"
        now = time.monotonic()
        if said != self._said and now >= self._next_at:
            self._said, self._next_at = said, now + _LINES_SECONDS
            with self._one_at_a_time:
                err.print(said, markup=False, soft_wrap=True)


class _Rates:
    """How fast figures grow, by name, since they were last asked for."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, int]] = {}

    def of(self, name: str, value: int) -> float:
        now = time.monotonic()
        at, before = self._before.get(name, (now, value))
        self._before[name] = now, value
        return (value - before) / (now - at) if now > at else 0.0


def _figures(name: str, flow: Flow) -> tuple[int, str, int] | None:
    """Done, still to do and dead letters of a service; None for one that has no such figures."""
    dead = flow.dead_letters.get(name, 0)
    match name:
        case "gateway":
            return flow.accepted, "", dead
        case "normalizer":
            return flow.normalized + flow.unmapped, f"{flow.normalizer_lag:,}", dead
        case "worker":
            return flow.recorded, f"{flow.worker_lag + flow.to_publish:,}", dead
    return None


def _in_words(flow: Flow) -> str:
    return (
        f"accepted {flow.accepted:,}, normalized {flow.normalized:,}, not mapped "
        f"{flow.unmapped:,}, recorded {flow.recorded:,}, dead letters "
        f"{sum(flow.dead_letters.values()):,}, still to do "
        f"{flow.normalizer_lag + flow.worker_lag + flow.to_publish:,}"
    )


def view() -> View:
    """What suits standard error."""
    return TerminalView() if err.is_terminal else LineView()
