"""The dataset of journal lines: from the service to the statements."""

from clearhouse.engines.engine import Layout
from clearhouse.gl.frames import CHART, business_frames, raw_frames
from clearhouse.gl.lines import SERVICE
from clearhouse.pipeline.domain import Dataset, Derived, Gate

_PERIODS = "next.int_gl_touched_periods"
_MONTH = "CAST(replace(fiscal_period, '-13', '-12') || '-01' AS DATE)"
"""The date by which the activity is served in parts: a year's adjustments with its last month."""
_ACTIVITY = (
    *("fiscal_period", "account_code", "account_name", "account_class", "entry_kind", "product"),
    *("unit", "production_month", "well_id", "api_number", "lease_name", "property_id", "state"),
    *("county", "basin", "party_type", "party_id", "afe_number", "jib_number"),
)
_PARTNER_COSTS = (
    *("fiscal_period", "partner_id", "well_id", "afe_number", "jib_number", "account_code"),
    *("is_estimate", "late_on"),
)
_STATEMENTS = (
    *("accounts", "wells", "trial_balance", "income_statement", "balance_sheet", "cash_flow"),
    *("lease_operating_statement", "cost_per_boe", "jib_statement", "afe_spending", "ageing"),
    *("owner_suspense", "subledgers", "price_realization"),
)

LINES = Dataset(
    name="lines",
    sources=(SERVICE,),
    silver="silver.stg_gl_lines",
    gold="gold.fct_gl_lines",
    readers="marts.journal_lines",
    touched_keys="int_gl_touched_keys",
    published="int_gl_published",
    hidden="int_gl_hidden_records",
    raw_gate=Gate("gl_raw_gate", raw_frames),
    business_gate=Gate("gl_business_gate", business_frames, version="2", inputs=(CHART,)),
    id_column="line_id",
    derived=(
        Derived(
            "int_gl_activity",
            "gold",
            "fiscal_period",
            _PERIODS,
            part=_MONTH,
            grain=_ACTIVITY,
            indexes=(("account_code", "fiscal_period"), ("well_id", "fiscal_period")),
        ),
        Derived(
            "int_gl_balances",
            "gold",
            "fiscal_period",
            _PERIODS,
            grain=("fiscal_period", "account_code", "account_name", "account_class", "entry_kind"),
        ),
        Derived(
            "int_gl_partner_costs",
            "gold",
            "fiscal_period",
            _PERIODS,
            grain=_PARTNER_COSTS,
        ),
        Derived(
            "int_gl_open_items",
            "gold",
            "document",
            "next.int_gl_touched_documents",
            grain=("document", "account_code", "party_type", "party_id", "fiscal_period"),
            indexes=(("account_code", "party_id"),),
        ),
    ),
    views=tuple(f"marts.gl_{name}" for name in _STATEMENTS),
    layout=Layout(indexes=(("fiscal_period", "account_code"), ("document",))),
)
