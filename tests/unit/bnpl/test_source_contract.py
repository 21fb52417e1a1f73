"""What of a simtom's records keeps the contract of BNPL transactions, and what is only reported."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from playback import SIMTOM

from clearhouse.core.contract import Contract, TypedRecords, type_records
from clearhouse.core.event_stream import unframe
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.purchases import of_day

CONTRACT = Contract.load(Path(__file__).parents[3] / "contracts" / "bnpl" / "transactions.yaml")
RECORDED, RECORDS = unframe((SIMTOM / "three-days-seed-42.txt").read_bytes())


def typed(payload: bytes) -> TypedRecords:
    return type_records(payload, CONTRACT, "simtom")


def a_record_with(**fields: Any) -> TypedRecords:
    record = json.loads(RECORDED.splitlines()[0])
    return typed(json.dumps(record | fields).encode() + b"\n")


def test_recorded_and_sandbox_records_keep_the_contract_and_hold_no_unknown_category() -> None:
    day = of_day(42, dt.date(2024, 3, 9), 3_000, (12, 19))
    made, _ = unframe(b"".join(wire.blocks(day)))
    for payload, records in ((RECORDED, RECORDS), (made, 3_000)):
        found = typed(payload)
        assert len(found.accepted) == records
        assert (found.rejected, found.unknown_values) == ((), ())


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({"risk_level": "very_high", "risk_score": 0.8}, ()),
        ({"days_to_first_missed_payment": 7, "will_default": True}, ()),
        ({"risk_level": "extreme"}, (("risk_level", "extreme", 1),)),
        ({"device_type": "watch"}, (("device_type", "watch", 1),)),
        ({"payment_provider": "zip"}, (("payment_provider", "zip", 1),)),
    ],
)
def test_a_category_that_nothing_is_computed_from_is_kept(
    fields: dict[str, Any], unknown: tuple[tuple[str, str, int], ...]
) -> None:
    found = a_record_with(**fields)
    assert (len(found.accepted), found.unknown_values) == (1, unknown)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"days_to_first_missed_payment": 2**31 - 1}, "above_maximum"),
        ({"days_to_first_missed_payment": 2**63 - 1}, "above_maximum"),
        ({"days_to_first_missed_payment": 0}, "below_minimum"),
        ({"amount": 10_000_000.01}, "above_maximum"),
        ({"payment_credit_limit": -0.01}, "below_minimum"),
        ({"customer_tenure_days": 2**31 - 1}, "above_maximum"),
        ({"installment_count": 2**31 - 1}, "not_allowed"),
        ({"payment_frequency": "at_full_moon"}, "not_allowed"),
        ({"risk_scenario": "unheard_of"}, "not_allowed"),
        ({"currency": "EUR"}, "not_allowed"),
    ],
)
def test_a_value_that_models_can_not_compute_with_is_rejected_with_its_reason(
    fields: dict[str, Any], code: str
) -> None:
    [rejected] = a_record_with(**fields).rejected
    assert [violation.code for violation in rejected.violations] == [code]
