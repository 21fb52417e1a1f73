"""The hostile mode of simtom.

Days that are bad as a whole (half of the volume, negative amounts) are no part of it: they would be
held and hide the rest. They can be added by name. Wire faults beyond these are by name only.
"""

from clearhouse.sandbox.faults import (
    CUT_STREAM,
    SLOW,
    TOO_MANY_REQUESTS,
    TRUNCATED_STREAM,
    UNAVAILABLE,
    UNAVAILABLE_UNTIL,
    UNENDED_STREAM,
)
from clearhouse.sandbox.hostile import HostilePlan

_PLAN = HostilePlan(
    by_chance=(
        UNAVAILABLE,
        UNAVAILABLE_UNTIL,
        TOO_MANY_REQUESTS,
        SLOW,
        CUT_STREAM,
        UNENDED_STREAM,
        TRUNCATED_STREAM,
        "late",
        "corrected",
        "new_fields",
        "missing_fields",
        "wrong_types",
        "shadowed_fields",
        "broken_json",
        "duplicates",
        "restated_later",
    ),
    sequels={"late": "redelivered"},
)

MODES = _PLAN.modes
"""Every fault of the plan."""

faults_of = _PLAN.faults_of
