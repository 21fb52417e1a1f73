"""Faults of the prices that EIA's stand-in gives, and its hostile plan."""

from collections.abc import Mapping

from clearhouse.sandbox import faults
from clearhouse.sandbox.hostile import HostilePlan
from clearhouse.sandbox.record_faults import JsonText, RecordFault, changed

_ROW = JsonText(separators=(",", ":"))
_FEW = 0.05  # at least one row of an answer

ROW_FAULTS: Mapping[str, RecordFault] = {
    # What EIA shows of a value that it withholds, and what it has not got.
    "withheld": changed(_FEW, [_ROW.having(value="W")]),
    "no_value": changed(_FEW, [_ROW.having(value=None)]),
    "hundredfold": changed(_FEW, [_ROW.rewritten("value", lambda _old: '"9999.99"')]),
    "new_field": changed(1.0, [_ROW.having(**{"series-name": "a price"})]),
}
"""Faults of the rows of an answer, by name."""

HOSTILE = HostilePlan(
    by_chance=(
        faults.SERVER_ERROR,
        faults.SLOW,
        faults.UNAVAILABLE,
        faults.CONNECTION_DROP,
        faults.HTML_PAGE,
        faults.CUT_STREAM,
        faults.TRUNCATED_STREAM,
        "new_field",
    )
)
