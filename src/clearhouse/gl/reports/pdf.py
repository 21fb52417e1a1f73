"""A pack as PDF, set by Typst: the same pack gives the same bytes on every machine."""

import datetime as dt
import json
from pathlib import Path

import typst

from clearhouse.gl.reports.model import Pack
from clearhouse.gl.reports.shown import shown

_TEMPLATE = Path(__file__).with_name("pack.typ")


def pdf(pack: Pack) -> bytes:
    """The file, dated by the period's last day.

    Only the typefaces that Typst brings along are used, and nothing is fetched.
    """
    ended = dt.datetime.combine(pack.ended_on, dt.time(), dt.UTC)
    day = {"year": ended.year, "month": ended.month, "day": ended.day}
    made = typst.compile(
        str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"pack": json.dumps({**shown(pack), "date": day})},
        timestamp=ended,
    )
    assert isinstance(made, bytes)  # noqa: S101  # one file, as it is no picture of each page
    return made
