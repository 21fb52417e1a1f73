"""Stripe's objects and events, as they are on the wire."""

from typing import Any

Object = dict[str, Any]

VERSIONS = (
    ("2020-08-27", 8), ("2022-11-15", 8), ("2023-10-16", 6), ("2024-04-10", 8),
    ("2024-09-30.acacia", 6), ("2024-10-28.acacia", 14), ("2025-03-31.basil", 18),
    ("2025-09-30.clover", 14), ("2026-06-24.dahlia", 18),
)  # fmt: skip

_ADDRESS = {
    "city": "Denver", "country": "US", "line1": "1600 Broadway", "line2": None,
    "postal_code": "80202", "state": "CO",
}  # fmt: skip
_CHARGE: Object = {
    "object": "charge", "application": None, "application_fee": None,
    "application_fee_amount": None,
    "billing_details": {
        "address": _ADDRESS, "email": "jenny@example.com", "name": "Jenny Rosen", "phone": None,
        "tax_id": None,
    },
    "calculated_statement_descriptor": "SANDBOX* ORDER", "description": None, "disputed": False,
    "failure_balance_transaction": None, "failure_code": None, "failure_message": None,
    "fraud_details": {}, "on_behalf_of": None, "receipt_email": None, "receipt_number": None,
    "receipt_url": "https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xUGdhZlRCN1daMDF6Z2tX",
    "review": None, "shipping": None, "source": None, "source_transfer": None,
    "statement_descriptor": None, "statement_descriptor_suffix": None, "transfer_data": None,
    "transfer_group": None,
}  # fmt: skip
_CARD: Object = {
    "amount_authorized": None, "authorization_code": None,
    "checks": {
        "address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "pass",
    },
    "country": "US", "exp_month": 8, "exp_year": 2030,
    "extended_authorization": {"status": "disabled"}, "fingerprint": "Xt5EWLLDS7FJjR1c",
    "funding": "credit", "incremental_authorization": {"status": "unavailable"},
    "installments": None, "mandate": None, "multicapture": {"status": "unavailable"},
    "network_token": {"used": False}, "network_transaction_id": "104102978678771",
    "overcapture": {"status": "unavailable"}, "regulated_status": "unregulated",
    "three_d_secure": None, "wallet": None,
}  # fmt: skip
_INTENT: Object = {
    "object": "payment_intent", "amount_details": {"tip": {}}, "application": None,
    "application_fee_amount": None, "automatic_payment_methods": {"enabled": True},
    "cancellation_reason": None, "confirmation_method": "automatic", "description": None,
    "last_payment_error": None, "next_action": None, "on_behalf_of": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"], "processing": None, "receipt_email": None, "review": None,
    "setup_future_usage": None, "shipping": None, "source": None, "statement_descriptor": None,
    "statement_descriptor_suffix": None, "transfer_data": None, "transfer_group": None,
}  # fmt: skip
_ENTRY_MARKS = {
    "charge_more": "m", "refund_failure": "f", "dispute_reversal": "r", "payout_failure": "f",
    "payout_cancel": "c", "adjustment": "a",
}  # fmt: skip
_EVIDENCE = dict.fromkeys(
    (
        "access_activity_log", "billing_address", "cancellation_policy", "customer_communication",
        "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
        "duplicate_charge_id", "product_description", "receipt", "refund_policy", "service_date",
        "shipping_address", "shipping_carrier", "shipping_tracking_number", "uncategorized_text",
    )
)  # fmt: skip


def charge(values: Object) -> Object:
    """A charge with these values."""
    return {**_CHARGE, **values}


def method_details(method: str, brand: str | None, last4: str | None) -> Object:
    """`payment_method_details` of a charge."""
    if method != "card":
        return {"type": method, method: {"bank_name": "TEST BANK", "last4": last4}}
    return {"type": "card", "card": {**_CARD, "brand": brand, "network": brand, "last4": last4}}


def outcome(decline: str | None) -> Object:
    """`outcome` of a charge that succeeded, or was declined for a reason."""
    return {
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline,
        "risk_level": "normal",
        "risk_score": 24,
        "seller_message": "The bank declined." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def intent(values: Object) -> Object:
    """A PaymentIntent with these values."""
    return {**_INTENT, **values}


def refund(values: Object) -> Object:
    """A refund with these values."""
    return {
        "object": "refund", "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {}, "reason": "requested_by_customer", "receipt_number": None,
        "source_transfer_reversal": None, "transfer_reversal": None, **values,
    }  # fmt: skip


def dispute(values: Object) -> Object:
    """A dispute with these values."""
    return {
        "object": "dispute", "evidence": _EVIDENCE, "is_charge_refundable": False, "metadata": {},
        "evidence_details": {
            "due_by": values["created"] + 864_000, "has_evidence": False, "past_due": False,
            "submission_count": 0,
        },
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
            "type": "card",
        },
        "reason": "fraudulent", **values,
    }  # fmt: skip


def payout(values: Object) -> Object:
    """A payout with these values."""
    return {
        "object": "payout", "application_fee": None, "application_fee_amount": None,
        "description": "STRIPE PAYOUT", "destination": "ba_1SandboxBankAccount",
        "failure_balance_transaction": None, "failure_code": None, "failure_message": None,
        "metadata": {}, "method": "standard", "original_payout": None, "reversed_by": None,
        "source_type": "card", "statement_descriptor": None,
        "trace_id": {"status": "supported", "value": "084000012345"}, "type": "bank_account",
        **values,
    }  # fmt: skip


def entry(values: Object) -> Object:
    """A balance transaction with these values: `amount` and `fee` among them."""
    return {
        "object": "balance_transaction", "available_on": values["created"] + 172_800,
        "balance_type": "payments", "description": None, "exchange_rate": None,
        "fee_details": [
            {
                "amount": values["fee"], "application": None, "currency": values["currency"],
                "description": "Stripe processing fees", "type": "stripe_fee",
            }
        ] if values["fee"] else [],
        "net": values["amount"] - values["fee"], "status": "available", **values,
    }  # fmt: skip


def entry_id(kind: str, source: str) -> str:
    """The id of the balance transaction by which an object moved money."""
    return f"txn_{_ENTRY_MARKS.get(kind, '')}{source.partition('_')[2]}"


def event(values: Object) -> Object:
    """A snapshot event with these values."""
    return {
        "object": "event",
        "pending_webhooks": 1,
        "request": {"id": f"req_{values['id'][-14:]}", "idempotency_key": None},
        **values,
    }


def thin(values: Object, found: Object) -> Object:
    """A thin event with these values, about an object."""
    name = found["object"]
    return {
        "object": "v2.core.event",
        "context": None,
        "reason": {
            "type": "request",
            "request": {"id": f"req_{values['id'][-14:]}", "idempotency_key": None},
        },
        "related_object": {"id": found["id"], "type": name, "url": f"/v1/{name}s/{found['id']}"},
        **values,
    }
