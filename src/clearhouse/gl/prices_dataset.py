"""Energy prices declared: from EIA to `marts.energy_prices`."""

from clearhouse.gl.eia_source import ROUTES, source_of
from clearhouse.gl.price_frames import business_frames, raw_frames
from clearhouse.pipeline.domain import Dataset, Gate

PRICES = Dataset(
    name="prices",
    sources=tuple(source_of(route) for route in ROUTES),
    silver="silver.stg_gl_prices",
    gold="gold.fct_gl_prices",
    readers="marts.energy_prices",
    touched_keys="int_gl_touched_prices",
    published="int_gl_published_prices",
    hidden="int_gl_hidden_prices",
    raw_gate=Gate("gl_prices_raw_gate", raw_frames),
    business_gate=Gate("gl_prices_business_gate", business_frames),
    id_column="series",
    restated=True,
)
