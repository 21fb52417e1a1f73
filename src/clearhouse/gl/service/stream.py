"""The live stream: one tail of the store a process, and any number of clients that follow it.

A client that resumes reads the store up to where the tail is and then gets what the tail finds, in
order of ids, each line once. What a client has not read yet is held up to a bound; one that is
slower than that is told so and dropped, and resumes from its last id.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from clearhouse.gl.service import metrics
from clearhouse.gl.service.errors import NotReadyError
from clearhouse.gl.service.reading import Lines, Selection
from clearhouse.gl.service.shared import Shared

Render = Callable[[pa.Table], bytes]
"""Lines as a format has them."""

_PIECE_LINES = 2_000
_MOST_PIECES_WAITING = 64
_MOST_CLIENTS = 1_000
_POLL_SECONDS = 0.5
_POLL_SECONDS_WITH_REDIS = 5.0
_HEARTBEAT_SECONDS = 15.0
_log = structlog.get_logger()


class SlowClientError(Exception):
    """A client did not keep up, and was dropped."""


@dataclass
class _Piece:
    """New lines, rendered once for all clients of a format."""

    table: pa.Table
    _rendered: dict[Render, bytes] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return int(self.table["gl_entry_id"][-1].as_py())

    def after(self, position: int, render: Render) -> bytes:
        """What of it comes after an id."""
        if self.table["gl_entry_id"][0].as_py() <= position:
            return render(self.table.filter(pc.greater(self.table["gl_entry_id"], position)))
        if render not in self._rendered:
            self._rendered[render] = render(self.table)
        return self._rendered[render]


class _Client:
    """One that follows."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[_Piece | None] = asyncio.Queue(_MOST_PIECES_WAITING)
        self.is_dropped = False

    def give(self, piece: _Piece | None) -> None:
        """Let it have a piece; None ends it."""
        try:
            self.waiting.put_nowait(piece)
        except asyncio.QueueFull:
            self.is_dropped = piece is not None
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)


class Tail:
    """Watches the end of the ledger for a process.

    Args:
        lines: the store.
        shared: tells of lines that other workers store.
        position: the id of the last line so far.
    """

    def __init__(self, lines: Lines, shared: Shared, position: int) -> None:
        self._lines = lines
        self._shared = shared
        self._position = position
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._clients: set[_Client] = set()
        self._is_closed = False

    def wake(self) -> None:
        """There are new lines; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody follows any more
            self._loop.call_soon_threadsafe(self._woken.set)

    def close(self) -> None:
        """End every client's stream."""
        self._is_closed = True
        for client in self._clients:
            client.give(None)

    async def run(self) -> None:
        """Pass on what is new, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._shared.listen(self._woken.set))
            while True:
                seconds = _POLL_SECONDS_WITH_REDIS if self._shared.has_redis else _POLL_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), seconds)
                self._woken.clear()
                try:
                    await self._pass_on()
                except Exception as error:  # noqa: BLE001  (the store will answer again)
                    _log.warning("stream_waits_for_store", error=type(error).__name__)

    def see_that_there_is_room(self) -> None:
        """Ask before an answer begins: an error in the midst of one can't be told.

        Raises:
            NotReadyError: as many clients follow as may (too_many_streams).
        """
        if len(self._clients) >= _MOST_CLIENTS:
            told = f"{_MOST_CLIENTS} clients follow already."
            raise NotReadyError(told, "too_many_streams", headers={"Retry-After": "2"})

    async def follow(
        self, after: int | None, render: Render, heartbeat: bytes = b""
    ) -> AsyncGenerator[bytes, None]:
        """Lines after an id, or from now on, without end.

        Args:
            after: the last id that the client has.
            render: its format.
            heartbeat: sent when there is nothing else for a while.

        Raises:
            SlowClientError: the client did not keep up.
        """
        position = self._position if after is None else after
        with metrics.STREAM_CLIENTS.track_inprogress():
            while position < self._position:
                table = await asyncio.to_thread(self._read, position, self._position)
                if not len(table):
                    position = self._position
                    break
                position = table["gl_entry_id"][-1].as_py()
                yield render(table)
            client = _Client()  # nothing was awaited since: no line comes between
            self._clients.add(client)
            try:
                while not self._is_closed:
                    piece = await _next(client, heartbeat)
                    if isinstance(piece, bytes):
                        yield piece
                    elif piece is None:
                        break
                    elif piece.last > position:
                        yield piece.after(position, render)
                        position = piece.last
                if client.is_dropped:
                    raise SlowClientError
            finally:
                self._clients.discard(client)

    async def _pass_on(self) -> None:
        last = await asyncio.to_thread(self._lines.last)
        while self._position < last:
            table = await asyncio.to_thread(self._read, self._position, last)
            if not len(table):
                self._position = last
                return
            piece = _Piece(table)
            self._position = piece.last
            for client in tuple(self._clients):
                client.give(piece)
                if client.is_dropped:
                    self._clients.discard(client)

    def _read(self, after: int, until: int) -> pa.Table:
        """The next lines, some at most."""
        pieces = self._lines.in_pieces(Selection(), after, until, _PIECE_LINES)
        return next(pieces, None) or _NOTHING


_NOTHING = pa.table({"gl_entry_id": pa.array([], pa.int64())})


async def _next(client: _Client, heartbeat: bytes) -> _Piece | bytes | None:
    try:
        return await asyncio.wait_for(
            client.waiting.get(), _HEARTBEAT_SECONDS if heartbeat else None
        )
    except TimeoutError:
        return heartbeat
