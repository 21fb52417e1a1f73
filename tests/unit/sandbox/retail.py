"""Asking the sandbox's retailers in this process, as a client over HTTP would."""

import asyncio
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import httpx

from clearhouse.sandbox.retail.app import create_app
from clearhouse.sandbox.retail.options import KEYS, RetailOptions

RETAILERS = list(KEYS)
ROWS_UNDER = {"retailer_1": "data", "retailer_2": "transactions", "retailer_3": "results"}

Row = dict[str, Any]
Request = dict[str, Any]


def request(
    name: str, first: object, last: object | None = None, key: str | None = None
) -> Request:
    """A request for some days, as `httpx.request` takes it."""
    first, last, key = str(first), str(last or first), KEYS[name] if key is None else key
    if name == "retailer_1":
        return {
            "method": "GET",
            "url": "/sales",
            "params": {"start_date": first, "end_date": last},
            "headers": {"Authorization": f"Bearer {key}"},
        }
    if name == "retailer_2":
        return {
            "method": "GET",
            "url": "/transactions",
            "params": {"from": first, "to": last},
            "headers": {"X-API-Key": key},
        }
    return {
        "method": "POST",
        "url": "/sales/query",
        "json": {"dateFrom": first, "dateTo": last},
        "headers": {"apikey": key},
    }


def send(name: str, *requests: Request, **options: Any) -> list[httpx.Response]:
    """The answers of one fresh server, one after the other."""

    async def each() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(name, RetailOptions(**options)))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [await client.request(**one) for one in requests]

    return asyncio.run(each())


def rows_of(name: str, answer: httpx.Response) -> list[Row]:
    """The rows of an answer, money as exact decimals."""
    return json.loads(answer.text, parse_float=Decimal)[ROWS_UNDER[name]]


def rows(name: str, first: object, last: object | None = None, **options: Any) -> list[Row]:
    """The rows of some days, from a fresh server."""
    [answer] = send(name, request(name, first, last), **options)
    assert answer.status_code == 200
    return rows_of(name, answer)


def days_from(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range(count)]
