"""A generated ledger is whole, whatever its seed, first day and calendar."""

import datetime as dt

import pyarrow as pa
import pytest
from gl_ledgers import ask, forget
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clearhouse.core.fiscal import PATTERNS, Calendar
from clearhouse.sandbox.gl import chart
from clearhouse.sandbox.gl.ledger import Ledger
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

SCALE = 0.05
DAY = dt.timedelta(days=1)

# Without shrinking: the smallest ledger takes as long as any other.
few = settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
ledgers = st.builds(
    Ledger,
    seed=st.integers(0, 2**64 - 1),
    opened_on=st.dates(dt.date(2019, 1, 1), dt.date(2027, 12, 31)),
    scale=st.just(SCALE),
    calendar=st.builds(Calendar, st.sampled_from(PATTERNS), st.integers(1, 12), st.booleans()),
)

DORMANT = "(account_code = '2120' and document like 'OPN-%')"
"""What is still waited for: the end of the time after which it is unclaimed property."""

CONTROL = "account_code in ('1120', '1130', '2010', '2110', '2120', '2210')"


@few
@given(ledgers, st.integers(0, 130))
def test_any_ledger_is_whole(ledger: Ledger, days: int) -> None:
    opened = ledger.world.opened_on
    lines = ledger.lines(opened - 30 * DAY, opened + days * DAY)
    assert lines.schema == LINE_SCHEMA
    assert ask(lines, "select min(recorded_on) from lines") == [(opened,)]
    for broken in (
        "select journal_entry from lines group by all having sum(cents) <> 0",
        "select line_id from lines group by all having count(*) > 1",
        "select line_id from lines where (debit_minor > 0) = (credit_minor > 0) "
        "and entry_type <> 'statistical'",
        "select journal_entry from lines where share is not null "
        "group by all having sum(share) <> 1",
        "select line_id from lines where created_by = approved_by or recorded_on < posting_date",
        "select line_id from lines where account_code between '4' and '7' and well_id is null "
        "and account_code <> '4700'",
        f"select line_id from lines where {CONTROL} and (party_id is null or document is null)",
        "select jib_number from lines where account_code = '1130' and jib_number is not null "
        "group by party_id, jib_number having count(distinct document) > 1",
        "select document from lines where account_code = '1130' and jib_number is not null "
        "group by party_id, document having count(distinct right(jib_number, 6)) > 1",
        "select line_id from lines where account_code = '2420' and well_id || document is null",
        "select line_id from lines where account_code in ('6100', '6200', '6300') "
        "and afe_number || document is null",
    ):
        assert ask(lines, broken) == [], broken
    assert numbers_out_of_order(lines) == []


def numbers_out_of_order(lines: pa.Table) -> list[tuple]:
    """Entries whose number is not one more than that of the one recorded before in the period."""
    return ask(
        lines,
        """
        select journal_entry from (
            select journal_entry, entry_number, row_number() over (
                partition by fiscal_period order by id) as recorded
            from (select fiscal_period, journal_entry, entry_number, min(gl_entry_id) as id
                  from lines group by all))
        where entry_number <> recorded
        """,
    )


@few
@given(ledgers, st.integers(0, 120), st.integers(0, 40))
def test_a_day_alone_is_the_day_in_the_range(ledger: Ledger, after: int, more: int) -> None:
    day = ledger.world.opened_on + after * DAY
    forget()
    alone = ledger.lines(day, day)
    forget()
    lines = ledger.lines(ledger.world.opened_on, day + more * DAY)
    is_day = pa.compute.equal(lines["recorded_on"], pa.scalar(day))
    assert alone.equals(lines.filter(is_day))


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    """A year and seven weeks."""
    return Ledger(7, dt.date(2024, 1, 1), SCALE).lines(dt.date(2024, 1, 1), dt.date(2025, 2, 20))


def test_a_reversal_mirrors_one_entry_and_names_it_once(lines: pa.Table) -> None:
    reversed_ = ask(
        lines, "select reverses, count(distinct journal_entry) from lines group by all order by 1"
    )[:-1]
    assert len(reversed_) > 300
    assert all(times == 1 for _, times in reversed_)
    left = """
        select account_code, well_id, party_id, document, sum(cents)
        from (select coalesce(reverses, journal_entry) as entry, * from lines)
        where entry in (select reverses from lines)
        group by entry, account_code, well_id, party_id, document having sum(cents) <> 0"""
    assert ask(lines, left) == []
    late = """
        select r.journal_entry from lines r join lines a on a.journal_entry = r.reverses
        where a.entry_type = 'accrual' and r.recorded_on <> a.posting_date + 1"""
    assert ask(lines, late) == []


def test_items_of_control_accounts_are_settled_to_the_cent(lines: pa.Table) -> None:
    old = f"""
        select account_code, party_id, document, sum(cents) from lines where {CONTROL}
        group by all having max(recorded_on) < '2024-09-01' and sum(cents) <> 0"""
    unsettled = ask(lines, f"select * from ({old}) where not {DORMANT}")
    assert unsettled == []
    sides = dict(
        ask(
            lines,
            """
            select account_code, max(left_open * if(account_code < '2000', 1, -1)) from (
                select account_code, sum(cents) as left_open from lines
                where account_code in ('1130', '2010', '2120')
                group by account_code, party_id, document)
            group by all""",
        )
    )
    assert sides["1130"] > 0
    assert sides["2010"] > 0
    assert sides["2120"] >= 0


def test_netting_sets_a_bill_off_against_the_same_partners_revenue(lines: pa.Table) -> None:
    set_off = ask(
        lines,
        """
        with netted as (
            select journal_entry, -sum(cents) filter (account_code = '1130') as bill,
                   sum(cents) filter (account_code = '2110') as revenue,
                   max(party_id) filter (account_code = '1130') as partner,
                   max(party_id) filter (account_code = '2110') as owner,
                   max(document) filter (account_code = '1130') as billed,
                   max(document) filter (account_code = '2110') as due
            from lines where description = 'Bill netted against the partner''s revenue'
            group by all),
        paid as (select party_id, document from lines where transaction_type = 'PAY')
        select bill, revenue, partner[-2:], owner[-2:],
               exists (from paid where party_id = partner and document = billed),
               exists (from paid where party_id = owner and document = due)
        from netted""",
    )
    assert len(set_off) > 10
    for bill, revenue, partner, owner, rest_of_bill, rest_of_revenue in set_off:
        assert (bill, partner) == (revenue, owner)
        assert bill > 0
        assert rest_of_bill != rest_of_revenue


def test_what_owners_do_not_claim_goes_to_the_state(lines: pa.Table) -> None:
    by_owner = ask(
        lines,
        f"""
        select party_id, sum(cents) filter ({DORMANT} and entry_type = 'opening'),
               sum(cents) filter ({DORMANT} and entry_type <> 'opening'),
               sum(cents) filter (account_code = '2130' and cents < 0),
               sum(cents) filter (account_code = '2130' and cents > 0),
               min(recorded_on) filter (account_code = '2130' and cents < 0)
        from lines where {DORMANT} or account_code = '2130' group by all""",
    )
    assert any(remitted for *_, remitted, _ in by_owner)
    for _, suspended, out, unclaimed, remitted, since in by_owner:
        assert suspended < 0
        assert out is None or (-suspended, unclaimed) == (out, suspended)
        assert remitted == (-suspended if since and since < dt.date(2024, 7, 1) else None)


def test_income_tax_is_provided_monthly_and_paid_quarterly(lines: pa.Table) -> None:
    months = ask(
        lines,
        """
        select date_trunc('month', recorded_on) as month,
               -sum(cents) filter (account_class in ('REVENUE', 'EXPENSE')
                                   and account_code not in ('8300', '8700')) as income,
               sum(cents) filter (account_code = '8700'),
               sum(sum(-cents) filter (account_code = '2710')) over (order by month)
        from lines where recorded_on < '2025-02-01' and entry_type <> 'closing'
        group by month order by month""",
    )
    owed = 0
    for at, (_, income, provision, payable) in enumerate(months):
        assert abs(provision - income * 0.21) <= 0.5
        owed = provision if at % 3 == 0 else owed + provision
        assert payable == owed
    assert owed > 0


def test_a_field_whose_prices_fall_is_impaired_and_depleted_by_less() -> None:
    ledger = Ledger(42, dt.date(2024, 1, 1), 0.2)
    by_field = ask(
        ledger.lines(dt.date(2024, 6, 30), dt.date(2024, 7, 31)),
        """
        with monthly as (
            select basin, fiscal_period, sum(cents) filter (account_code = '8300') as lost,
                   sum(cents) filter (account_code = '8100')
                   / sum(quantity) filter (account_code = '9300') as per_mcf
            from lines where well_id is not null group by all)
        select basin, sum(lost), min_by(per_mcf, fiscal_period), max_by(per_mcf, fiscal_period)
        from monthly group by all""",
    )
    impaired = {basin for basin, lost, _, _ in by_field if lost}
    assert impaired == {"Marcellus"}
    for basin, lost, before, after in by_field:
        assert lost is None or lost > 0
        assert (after < 0.85 * before) == (basin in impaired), basin


def test_swaps_are_marked_to_market_and_settled_in_cash(lines: pa.Table) -> None:
    swaps = ask(
        lines,
        """
        select document, sum(cents), min(fiscal_period), max(fiscal_period),
               max(description) filter (transaction_type = 'PAY')
        from lines where account_code in ('1510', '2610') group by all""",
    )
    settled = {document for document, *_, how in swaps if how}
    assert len(settled) == 2 * 13
    assert all(value == 0 for document, value, *_ in swaps if document in settled)
    assert any(value for _, value, *_ in swaps)
    signs = """
        select account_code, sum(change) over (
            partition by account_code, document order by fiscal_period) as value
        from (select account_code, document, fiscal_period, sum(cents) as change
              from lines where account_code in ('1510', '2610') group by all)"""
    assert ask(lines, f"select * from ({signs}) where value * (2000 - account_code::int) < 0") == []
    [(result, cash, value)] = ask(
        lines,
        """
        select -sum(cents) filter (account_code = '4700' and entry_type <> 'closing'),
               sum(cents) filter (account_code = '1010' and description like 'Swap of%'),
               sum(cents) filter (account_code in ('1510', '2610')) from lines""",
    )
    assert result == cash + value
    assert cash != 0 != value


def test_a_year_is_closed_to_retained_earnings(lines: pa.Table) -> None:
    profit = """
        select sum(cents) from lines
        where fiscal_year = 2024 and account_class in ('REVENUE', 'EXPENSE')"""
    [(closed,)] = ask(lines, profit)
    [(result,)] = ask(lines, profit + " and entry_type <> 'closing'")
    [(retained,)] = ask(lines, "select sum(cents) from lines where account_code = '3100'")
    assert closed == 0
    assert retained == result != 0
    unsigned = "created_by is null or approved_by is null or created_by = approved_by"
    assert ask(lines, f"select line_id from lines where {unsigned}") == []
    [(posted, first, last)] = ask(
        lines,
        """select any_value(posting_date), min(recorded_on), max(recorded_on) from lines
        where entry_type = 'closing'""",
    )
    assert posted == dt.date(2024, 12, 31)
    assert dt.date(2025, 1, 1) < first == last < dt.date(2025, 2, 1)


def test_assets_are_liabilities_and_equity_in_every_period(lines: pa.Table) -> None:
    periods = ask(
        lines,
        """
        select fiscal_period, sum(cents) filter (account_class = 'ASSET'),
               sum(-cents) filter (account_class in ('LIABILITY', 'EQUITY', 'REVENUE', 'EXPENSE'))
        from lines group by all""",
    )
    assert len(periods) == 14
    assert all(assets == others for _, assets, others in periods)


@pytest.mark.parametrize("seed", [1, 2**63])
def test_cash_stays_positive(seed: int) -> None:
    lines = Ledger(seed, dt.date(2023, 3, 14), SCALE).lines(
        dt.date(2023, 3, 14), dt.date(2025, 3, 1)
    )
    lowest = ask(
        lines,
        """
        select account_code, min(cash) from (
            select account_code, sum(sum(cents)) over (
                partition by account_code order by recorded_on) as cash
            from lines where account_code in ('1010', '1020') group by account_code, recorded_on)
        group by all order by 1""",
    )
    assert lowest[0][1] > 0
    assert lowest[1][1] == 0


def test_parts_are_cut_by_decks_to_the_cent(lines: pa.Table) -> None:
    cost = """
        select max(abs(cents - whole * share))
        from (select *, -sum(cents) filter (account_code = '2010') over entry as whole from lines
              where journal_source = 'AP' and transaction_type = 'INV'
              window entry as (partition by journal_entry))
        where share is not null"""
    sale = """
        select max(abs(-cents - whole * share))
        from (select *, sum(cents) filter (account_code = '1120') over entry as whole
              from lines where journal_source = 'REV' and transaction_type = 'INV'
              window entry as (partition by journal_entry))
        where account_code in ('4200', '4300') and share is not null"""
    for exact in (cost, sale):
        [(off,)] = ask(lines, exact)
        assert 0 < off < 1


def test_late_postings_go_into_the_period_before(lines: pa.Table) -> None:
    late = ask(
        lines,
        """select recorded_on, posting_date, fiscal_period from lines
        where recorded_on > posting_date and entry_type <> 'closing'""",
    )
    assert late
    for recorded, posted, period in late:
        assert (posted + DAY).day == 1
        assert f"{posted:%Y-%m}" == period
        assert recorded <= posted + 10 * DAY


def test_a_well_is_in_one_place_that_exists(lines: pa.Table) -> None:
    places = ask(
        lines,
        """select distinct well_id, api_number, lease_name, property_id, cost_center, state, county,
        basin from lines where well_id is not null""",
    )
    assert len({row[0] for row in places}) == len(places) == len({row[1] for row in places})
    known = {
        (basin.code, county.state, county.name, basin.name, county.api)
        for basin in BASINS
        for county in basin.counties
    }
    for well, api, _, property_id, _, state, county, basin in places:
        assert (well[:4], state, county, basin, api[:5]) in known
        assert len(api) == 14
        assert property_id.startswith(f"PROP-{state}-")


def test_wyoming_taxes_value_and_ohio_volume() -> None:
    months = Ledger(42, dt.date(2024, 1, 1), 0.2).lines(dt.date(2024, 1, 1), dt.date(2024, 3, 31))
    taxed = ask(
        months,
        """
        select state, round(sum(tax) / sum(value), 4), round(sum(tax) / sum(volume), 2)
        from (select any_value(state) as state,
                     -sum(cents) filter (account_code = '2210') as tax,
                     sum(cents) filter (account_code = '1120') as value,
                     sum(abs(quantity) / share) filter (account_code like '4%') as volume
              from lines where journal_source = 'REV' and transaction_type = 'INV'
              group by journal_entry) where tax > 0 group by state""",
    )
    by_state = {state: (of_value, of_volume) for state, of_value, of_volume in taxed}
    assert by_state["WY"][0] == 0.0605
    assert by_state["OH"][1] == 2.5  # cents an mcf
    counties = ask(
        months,
        "select distinct state, county, api_number[:5] from lines where state in ('WY', 'OH')",
    )
    assert set(counties) <= {
        ("WY", "Converse", "49009"), ("WY", "Campbell", "49005"), ("OH", "Belmont", "34013"),
    }  # fmt: skip


def test_every_kind_of_entry_and_account_is_there(lines: pa.Table) -> None:
    [(kinds, sources)] = ask(
        lines, "select count(distinct entry_type), count(distinct journal_source) from lines"
    )
    assert (kinds, sources) == (9, 14)
    used = {int(code) for (code,) in ask(lines, "select distinct account_code from lines")}
    assert used <= set(chart.accounts())
    for account in (chart.DRY_HOLE, chart.SUSPENSE, chart.IN_SERVICE, chart.BUDGET):
        assert account in used
