"""Lines of sales as bronze holds them, made by hand."""

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

A_LINE: dict[str, Any] = {
    "customer_id": "C-1",
    "store_id": "S-1",
    "product_code": "P-1",
    "product_name": "Chair",
    "category": "Furniture",
    "quantity": 1,
    "unit_price": "10.00",
    "currency": "USD",
}


def line(sale: str, day: str, retailer: str = "retailer_2", nth: int = 1, **fields: Any) -> dict:
    """One bronze row; its total follows from quantity and price unless it is given."""
    row = {**A_LINE, "sale_id": sale, "retailer": retailer, "_source": retailer, **fields}
    row.setdefault("total_amount", Decimal(row["unit_price"]) * row["quantity"])
    key = f"{retailer}|{sale}|{row['product_code']}|{nth}"
    return {
        "sold_at": dt.datetime.fromisoformat(f"{day}T12:00:00"),
        **row,
        "_record_id": hashlib.md5(f"{key}{sorted(map(str, row.items()))}".encode()).hexdigest(),
        "_record_key": key,
        "_book_date": dt.date.fromisoformat(day),
        "_object_version": 1,
        "_line": nth,
    }
