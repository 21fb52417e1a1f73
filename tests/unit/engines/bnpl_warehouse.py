"""A tiny warehouse of BNPL over purchases made by hand."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

from domain_warehouse import DomainWarehouse

from clearhouse.bnpl.domain import BNPL, TRANSACTIONS

CONTRACT = BNPL.contracts / "transactions.yaml"
DATASET = "bnpl.transactions"
FACT = TRANSACTIONS.gold

A_PURCHASE: dict[str, Any] = {
    "transaction_id": "txn_0",
    "customer_id": "cust_1",
    "product_id": "prod_1",
    "device_id": "cust_1_device_1",
    "payment_method_id": "cust_1_pm_1",
    "amount": "100.00",
    "currency": "USD",
    "status": "completed",
    "risk_scenario": "low_risk_purchase",
    "risk_score": 0.3,
    "risk_level": "low",
    "installment_count": 4,
    "first_payment_amount": "25.00",
    "payment_frequency": "bi_weekly",
    "purchase_context": "normal",
    "checkout_speed": "normal",
    "cart_abandonment_count": 0,
    "price_comparison_time": 60,
    "time_on_site_seconds": 300,
    "economic_stress_factor": 0.0,
    "will_default": False,
    "customer_age_bracket": "25-34",
    "customer_tenure_days": 100,
    "customer_income_bracket": "50k-75k",
    "customer_credit_score_range": "good",
    "customer_verification_level": "verified",
    "customer_address_stability": "stable",
    "customer_state": "TX",
    "product_category": "home",
    "product_subcategory": "decor",
    "product_brand": "IKEA",
    "product_price": "100.00",
    "product_bnpl_eligible": True,
    "product_risk_category": "low",
    "device_type": "mobile",
    "device_os": "iOS",
    "device_is_trusted": True,
    "payment_provider": "klarna",
    "payment_type": "bnpl_account",
    "payment_credit_limit": "500.00",
    "source_ordinal": 0,
    "generator": "test",
}


def purchase(
    transaction_id: str,
    book_date: str,
    amount: str = "100.00",
    *,
    business_date: str | None = None,
    version: int = 1,
    line: int = 1,
    **fields: Any,
) -> dict[str, Any]:
    """One bronze row; its id hashes key, amount and other fields, as landing hashes bytes."""
    business_date = business_date or book_date
    key = f"{business_date}|{transaction_id}"
    body = f"{key}|{amount}|{sorted(fields.items())}"
    return {
        **A_PURCHASE,
        "transaction_id": transaction_id,
        "amount": amount,
        "transaction_timestamp": dt.datetime.fromisoformat(f"{business_date}T12:00:00"),
        **fields,
        "_record_id": hashlib.md5(body.encode()).hexdigest(),
        "_record_key": key,
        "_book_date": dt.date.fromisoformat(book_date),
        "_object_version": version,
        "_line": line,
    }


class Warehouse(DomainWarehouse):
    """The models of BNPL in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, BNPL)
