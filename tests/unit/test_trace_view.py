"""A record on one screen, whatever its source has put into it."""

import datetime as dt
import io

import pytest

from clearhouse.cli import tracing
from clearhouse.cli.app import out
from clearhouse.pipeline.trace import Trace


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("[/]ann", "[/]ann"), ("[red]ann", "[red]ann"), ("\x1b[2Jann\r\x9b", r"\x1b[2Jann\x0d\x9b")],
)
def test_a_value_of_a_source_is_shown_as_it_is_and_obeyed_by_no_terminal(
    monkeypatch: pytest.MonkeyPatch, sent: str, shown: str
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(tracing, "out", type(out)(file=said, width=100, highlight=False))
    row = {"_book_date": dt.date(2024, 1, 1), "customer_id": sent, "_is_superseded": False}
    tracing.show_trace(Trace("0" * 32, sent, "raw/1", row, row, [{**row, "_is_published": True}]))

    assert said.getvalue().count(shown) == 4
    assert not set(said.getvalue()) & {"\x1b", "\r", "\x9b"}
