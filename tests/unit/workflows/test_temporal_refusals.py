"""What a workflow server refuses is told as what it is."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from clearhouse.workflows.temporal import TemporalPlace, error_of


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RPCStatusCode.NOT_FOUND, "workflows_not_prepared"),
        (RPCStatusCode.PERMISSION_DENIED, "workflows_refused"),
        (RPCStatusCode.RESOURCE_EXHAUSTED, "workflows_busy"),
        (RPCStatusCode.UNAVAILABLE, "workflows_unreachable"),
    ],
)
def test_each_refusal_has_its_code(status: RPCStatusCode, code: str) -> None:
    place = TemporalPlace("temporal://localhost:7233/clearhouse")
    assert error_of(place, RPCError("said", status, b"")).code == code
