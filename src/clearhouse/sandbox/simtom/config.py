"""The request of `POST /stream/{generator}`, with simtom's own names, defaults and bounds."""

import datetime as dt
from enum import IntEnum, StrEnum

from pydantic import BaseModel, Field, ValidationInfo, field_validator

MAX_RANGE_DAYS = 365


class Entity(IntEnum):
    """What is drawn. The values are part of the data of every seed: add only, never renumber."""

    CATALOGUE = 1
    COHORT = 2
    PURCHASES = 3
    VOLUME = 4
    NOISE = 5
    LIVE = 7
    LATE = 9


class ArrivalPattern(StrEnum):
    """Available arrival patterns for traffic simulation."""

    UNIFORM = "uniform"
    POISSON = "poisson"
    NHPP = "nhpp"
    BURST = "burst"


class NoiseType(StrEnum):  # noqa: D101  (a docstring would show in the schema; simtom has none)
    NONE = "none"
    GAUSSIAN = "gaussian"
    UNIFORM = "uniform"
    OUTLIERS = "outliers"


class DriftType(StrEnum):  # noqa: D101
    NONE = "none"
    LINEAR = "linear"
    SEASONAL = "seasonal"
    SUDDEN = "sudden"
    GRADUAL = "gradual"


class GeneratorConfig(BaseModel):  # noqa: D101
    # Unknown keys are ignored, as simtom does.
    # Without effect here: arrival_pattern, burst_*, include_holiday_patterns,
    # weekend_multiplier (the last two have none in simtom either) and drift_*.
    rate_per_second: float | None = Field(
        None, ge=0.01, le=1000.0, description="Streaming rate (current-date mode)"
    )
    base_daily_volume: int = Field(1000, ge=1, description="Expected daily transaction volume")
    max_records: int | None = Field(
        None, ge=1, description="Maximum records for current-date streaming (optional)"
    )
    arrival_pattern: ArrivalPattern = ArrivalPattern.UNIFORM
    peak_hours: list[int] = Field(default_factory=lambda: [12, 19])
    burst_intensity: float = Field(2.0, ge=1.0, le=10.0)
    burst_probability: float = Field(0.1, ge=0.0, le=1.0)
    start_date: dt.date | None = Field(
        None, description="Start date for historical data (YYYY-MM-DD)"
    )
    end_date: dt.date | None = Field(None, description="End date for historical data (YYYY-MM-DD)")
    include_holiday_patterns: bool = Field(True, description="Include holiday traffic patterns")
    weekend_multiplier: float = Field(
        0.85, ge=0.1, le=5.0, description="Weekend vs weekday traffic ratio"
    )
    noise_type: NoiseType = NoiseType.NONE
    noise_level: float = Field(0.0, ge=0.0, le=1.0)
    drift_type: DriftType = DriftType.NONE
    drift_strength: float = Field(0.0, ge=0.0, le=1.0)
    seed: int | None = None
    start_time: dt.datetime = Field(default_factory=dt.datetime.now)
    time_compression: float = Field(1.0, ge=0.1, le=1000.0)

    @field_validator("end_date")
    @classmethod
    def _ends_after_start(cls, end: dt.date | None, info: ValidationInfo) -> dt.date | None:
        start = info.data.get("start_date")
        if end is None or start is None:
            return end
        if end < start:
            raise ValueError("end_date must be >= start_date")
        if (end - start).days + 1 > MAX_RANGE_DAYS:
            raise ValueError("date range cannot exceed 365 days")
        return end
