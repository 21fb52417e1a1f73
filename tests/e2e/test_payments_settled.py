"""A month of four providers in the marts: as the store has it, with every payout explained."""

import datetime as dt
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from payments_home import Home
from payments_month import noon, normalize, provider_apis, record_all

from clearhouse.payments.event import Provider
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import open_store
from clearhouse.sandbox.payments.money import SETTLED_IN
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences
from clearhouse.sandbox.payments.output import Move
from clearhouse.sandbox.payments.world import World

TODAY = dt.date(2026, 3, 9)
OPTIONS = PaymentOptions(seed=7, webhooks=700, today=TODAY)
ROWS = {
    "payments": tables.payment,
    "refunds": tables.refund,
    "disputes": tables.dispute,
    "payouts": tables.payout,
}


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, World]:
    """The world through normalizer and worker, then through the pipeline with its settlements."""
    home = Home(tmp_path_factory.mktemp("settled") / "home", noon(TODAY))
    world = World(OPTIONS.seed, OPTIONS.webhooks, today=TODAY)
    with provider_apis(OPTIONS) as apis:
        normalize(home, world, apis["STRIPE_API_URL"])
        with closing(open_store(home.settings.payments_database_url)) as store:
            record_all(home, store)
            assert differences(world, store.engine) == []
        # What PayPal lists is of the days on which it moved; the rest came today.
        ran = home.command("run", "payments", "--from", world.begin.date(), "--to", TODAY, **apis)
        assert ran.exit_code == 0, (ran.exception, ran.stderr, ran.output)
    return home, world


def _rows(home: Home, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    return sorted(home.read(f"SELECT {', '.join(columns)} FROM marts.{table}"), key=str)


def test_the_books_balance_over_all_that_came(settled: tuple[Home, World]) -> None:
    home, _ = settled

    books = home.command("books", "--domain", "payments")

    assert books.exit_code == 0, books.output


@pytest.mark.parametrize("mart", ROWS)
def test_the_marts_hold_what_the_operational_store_holds(
    settled: tuple[Home, World], mart: str
) -> None:
    home, _ = settled
    names = [column.name for column in ROWS[mart].columns]
    engine = sa.create_engine(home.settings.payments_database_url)
    with engine.connect() as connection:
        stored = [tuple(row) for row in connection.execute(sa.select(ROWS[mart]))]

    assert _rows(home, mart, names) == sorted(stored, key=str)


def test_each_payout_is_explained_but_for_what_nothing_explains(
    settled: tuple[Home, World],
) -> None:
    home, world = settled
    apart = home.read(
        "SELECT payout_key FROM marts.payout_tie_out GROUP BY payout_key "
        "HAVING sum(amount_minor) <> any_value(payout_minor)"
    )
    unexplained = home.read(
        "SELECT payout_key, sum(amount_minor) FROM marts.payout_tie_out "
        "WHERE NOT is_explained AND provider <> 'paypal' GROUP BY ALL"
    )

    assert apart == []
    assert {key: int(amount) for key, amount in unexplained} == world.unexplained


def test_settlements_say_the_fees_that_no_event_said(settled: tuple[Home, World]) -> None:
    home, _ = settled
    ((known, by_events),) = home.read(
        "SELECT (SELECT count(*) FROM marts.payment_journal WHERE posting LIKE 'settled_fee:%'), "
        "(SELECT count(fee_minor) FROM marts.payment_captures WHERE provider = 'adyen')"
    )
    ((unbalanced,),) = home.read(
        "SELECT count(*) FROM (SELECT subject_key, posting FROM marts.payment_journal "
        "GROUP BY ALL HAVING sum(debit_minor) <> sum(credit_minor))"
    )
    due = home.read("SELECT status, count(*) FROM marts.receivables GROUP BY ALL ORDER BY ALL")

    assert known
    assert by_events == 0
    assert unbalanced == 0
    assert dict(due).keys() >= {"settled", "in_balance"}


def test_clearing_is_what_the_providers_still_owe(settled: tuple[Home, World]) -> None:
    home, world = settled
    clearing = home.read(
        "SELECT provider, account, currency, sum(debit_minor - credit_minor)::BIGINT AS minor "
        "FROM marts.payment_journal WHERE account_code = 'clearing' AND livemode "
        "GROUP BY ALL HAVING minor <> 0"
    )
    converted = home.read(
        "SELECT DISTINCT provider FROM marts.payment_journal WHERE posting LIKE 'converted_%'"
    )

    assert {tuple(of): minor for *of, minor in clearing} == _owed(world)
    assert sorted(converted) == [("adyen",), ("stripe",)]


def _owed(world: World) -> dict[tuple[str, str, str], int]:
    """What no payout has sent, of each account and currency, as far as it is told by now.

    What Stripe and Adyen take is told with the payout, but for Stripe's disputes where nothing is
    converted; so is disputed money at Square. PayPal tells of all that moves its balance, which no
    payout settles.
    """
    owed: Counter[tuple[str, str, str]] = Counter()
    for move in world.output.moves:
        if move.provider is Provider.PAYPAL:
            owed[move.provider, move.account, move.currency] += move.net
    _add_what_payouts_settle(owed, world)
    return {of: minor for of, minor in owed.items() if minor}


def _add_what_payouts_settle(owed: Counter[tuple[str, str, str]], world: World) -> None:
    sent = {_named(move) for payout in world.output.payouts for move in payout.moves}
    sent_again = {source for _, source, kind, _ in sent if kind.startswith("payout")}
    for payout in world.output.payouts:
        if payout.provider is Provider.PAYPAL:
            continue
        is_back = payout.status in {"failed", "canceled", "reversed"}
        back = payout.amount if is_back and payout.id not in sent_again else 0
        owed[payout.provider, payout.account, payout.currency] += back - payout.unexplained
    for move in world.output.moves:
        is_disputed, is_square = move.kind.startswith("dispute"), move.provider is Provider.SQUARE
        is_paypal = move.provider is Provider.PAYPAL
        if is_paypal or _named(move) in sent or (is_square and is_disputed):
            continue
        is_converted = (move.provider, move.currency) in SETTLED_IN
        says_fee = move.provider is Provider.STRIPE and is_disputed and not is_converted
        minor = move.net if is_square or says_fee else move.amount
        owed[move.provider, move.account, move.currency] += minor


def _named(move: Move) -> tuple[str, str, str, int]:
    return move.provider, move.source, move.kind, move.at
