"""The payouts of a day are asked for side by side; their entries stand in the payouts' order."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from clearhouse.core.errors import SourceError
from clearhouse.payments.event import Provider
from clearhouse.payments.settlements.entry import EntryKind, Payout, SettlementEntry
from clearhouse.payments.settlements.sources import APIS, SettlementConnection
from clearhouse.pipeline.domain import Batch, Failure
from clearhouse.settings import Settings

DAY = dt.date(2026, 3, 9)
PAYOUTS = [Payout("acct", name) for name in ("first", "second", "third")]


@dataclass
class InReverse:
    """A provider that answers for a payout when it has answered for those after it."""

    refuses: str = ""
    answered: dict[str, asyncio.Event] = field(default_factory=dict)

    async def entries_of(self, payout: Payout) -> Sequence[SettlementEntry]:
        ids = [each.payout_id for each in PAYOUTS]
        done = [self.answered.setdefault(name, asyncio.Event()) for name in ids]
        place = ids.index(payout.payout_id)
        for later in done[place + 1 :]:
            await later.wait()
        if payout.payout_id == self.refuses:
            raise SourceError("It is not to be had.", "source_refused")
        done[place].set()
        return [_entry(payout)]


def _entry(payout: Payout) -> SettlementEntry:
    return SettlementEntry(
        entry_id=payout.payout_id, provider=Provider.STRIPE, account="acct", livemode=True,
        payout_id=payout.payout_id, kind=EntryKind.CHARGE, provider_type="charge", source_id="ch_1",
        amount_minor=1, fee_minor=0, net_minor=1, currency="USD",
        moved_at=dt.datetime(2026, 3, 9, tzinfo=dt.UTC), raw="{}",
    )  # fmt: skip


async def _pulled(provider: InReverse) -> list[Batch | Failure]:
    api = replace(
        APIS[0], asker=lambda _: provider, payouts=lambda _, days: dict.fromkeys(days, PAYOUTS)
    )
    connection = SettlementConnection(api, Settings(), "it", "", "http://127.0.0.1:9", {})
    async with asyncio.timeout(30):
        return [each async for each in connection.pull([DAY])]


def test_entries_stand_in_the_order_of_payouts_whoever_answers_first() -> None:
    (batch,) = asyncio.run(_pulled(InReverse()))

    assert isinstance(batch, Batch)
    lines = [msgspec.json.decode(line) for line in batch.payload.splitlines()]
    assert [line["payout_id"] for line in lines] == ["first", "second", "third"]


@pytest.mark.parametrize("refused", ["first", "third"])
def test_a_payout_that_is_refused_fails_its_day(refused: str) -> None:
    (failure,) = asyncio.run(_pulled(InReverse(refused)))

    assert isinstance(failure, Failure)
    assert failure.error.code == "source_refused"
