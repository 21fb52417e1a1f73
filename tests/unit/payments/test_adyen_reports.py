"""Adyen's settlement detail reports: which are asked for, and what their rows say."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import httpx
import payment_notifications as n
import pytest

from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.landing.store import Landing
from clearhouse.log.log import Message
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.settlements.adyen import Adyen
from clearhouse.payments.settlements.entry import Payout, SettlementEntry
from clearhouse.payments.settlements.sources import APIS
from clearhouse.payments.topics import TOPICS, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook
from clearhouse.settings import Settings

DAY = dt.date(2026, 11, 2)
HEAD = (
    "Psp Reference,Merchant Reference,Creation Date,TimeZone,Type,Modification Reference,"
    "Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC)"
)


def _entries(*rows: str, head: str = HEAD) -> Sequence[SettlementEntry]:
    """What a report of these rows holds."""
    report = "\n".join([head, *rows])

    async def asked() -> Sequence[SettlementEntry]:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, text=report))
        async with ResilientClient("http://adyen", name="Adyen", transport=transport) as client:
            return await Adyen(client).entries_of(Payout("Shop", "settlement_detail_report.csv"))

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("zone", "moved_at"),
    [
        ("UTC", "2026-07-01T00:30:00+00:00"),
        ("CEST", "2026-06-30T22:30:00+00:00"),
        ("PDT", "2026-07-01T07:30:00+00:00"),
        ("ACST", "2026-06-30T15:00:00+00:00"),
    ],
)
def test_a_rows_time_is_of_the_time_zone_that_it_names(zone: str, moved_at: str) -> None:
    row = f"PSP1,order 1,2026-07-01 00:30:00,{zone},Settled,MOD1,EUR,,9.70,0.30"

    (entry,) = _entries(row)

    assert entry.moved_at.isoformat() == moved_at
    assert (entry.amount_minor, entry.fee_minor, entry.net_minor) == (1000, 30, 970)


def test_a_payout_that_the_bank_sent_back_is_in_the_balance_again() -> None:
    row = ",,2026-07-01 00:30:00,UTC,BankInstructionReturned,PAYOUT1,EUR,,9.70,"

    (entry,) = _entries(row)

    assert (entry.kind, entry.source_id, entry.net_minor) == ("payout_returned", "PAYOUT1", 970)


def test_a_time_zone_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(SourceError) as refused:
        _entries("PSP1,order 1,2026-07-01 00:30:00,XYZT,Settled,MOD1,EUR,,9.70,0.30")
    assert refused.value.code == "bad_answer"


def test_a_report_without_a_column_that_is_needed_is_refused() -> None:
    head = HEAD.replace(",Modification Reference", "")
    with pytest.raises(SourceError) as refused:
        _entries("PSP1,order 1,2026-07-01 00:30:00,UTC,MerchantPayout,EUR,9.70,,", head=head)
    assert refused.value.code == "bad_answer"
    assert "Modification Reference" in str(refused.value)


def test_a_quote_that_is_never_closed_is_a_broken_report() -> None:
    row = 'PSP1,"order 1,2026-07-01 00:30:00,UTC,Settled,MOD1,EUR,,9.70,0.30'
    with pytest.raises(SourceError) as refused:
        _entries(*[row] + [row.replace('"', "")] * 2_500)
    assert refused.value.code == "bad_answer"


def test_reports_of_the_test_environment_or_of_what_can_t_be_read_are_not_asked_for(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: n.RECEIVED)
    landing = Landing.from_url((tmp_path / "landing").as_uri())
    told = {"settlement_detail_report_batch_1.csv": "true", "settlement_detail_report_2": "false"}
    webhooks = [
        n.adyen("REPORT_AVAILABLE", live=live, pspReference=name) for name, live in told.items()
    ]
    webhooks.append(n.adyen("REPORT_AVAILABLE", pspReference=["settlement_detail_report"]))
    log.append([Message(WEBHOOKS.name, "k", encode_webhook(each)) for each in webhooks])
    Archive(log, landing, lambda: n.RECEIVED).flush()
    log.close()
    (api,) = (each for each in APIS if each.name == "adyen_settlement")

    found = api.payouts(Settings(landing_url=(tmp_path / "landing").as_uri()), [DAY])

    assert found == {DAY: [Payout("Shop", "settlement_detail_report_batch_1.csv")]}
