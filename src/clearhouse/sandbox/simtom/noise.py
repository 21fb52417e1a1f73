"""simtom's noise: it multiplies every number of a record, whatever its type.

As recorded: integers and booleans become floats (`device_is_trusted: 1.0995`), money gets many
decimals, false and 0 become 0.0, null stays, and so does `_record_id`. For hostile tests, not for
volume: this goes record by record.
"""

import json
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.simtom.config import NoiseType

_UNTOUCHED = "_record_id"
_OUTLIER_SHARE = 0.03
_OUTLIER_SIGMA = 3.0
_START, _END = "data: ", "\n\n"


def noisy(
    blocks: Iterable[bytes], kind: NoiseType, level: float, rng: np.random.Generator
) -> Iterator[bytes]:
    """The blocks with noise on; `level` is relative to each value, 0 to 1."""
    for block in blocks:
        records = [json.loads(text[len(_START) :]) for text in block.decode().split(_END) if text]
        yield "".join(
            f"{_START}{json.dumps(_disturb(record, _factors(kind, level, len(record), rng)))}{_END}"
            for record in records
        ).encode()


def _disturb(record: dict[str, object], factors: list[float]) -> dict[str, object]:
    return {
        key: value * factor if isinstance(value, int | float) and key != _UNTOUCHED else value
        for (key, value), factor in zip(record.items(), factors, strict=True)
    }


def _factors(kind: NoiseType, level: float, size: int, rng: np.random.Generator) -> list[float]:
    if kind is NoiseType.UNIFORM:
        noise: NDArray[np.float64] = rng.uniform(-level, level, size)
    else:
        noise = level * rng.standard_normal(size)
    if kind is NoiseType.OUTLIERS:
        outlier = rng.random(size) < _OUTLIER_SHARE
        noise = np.where(outlier, _OUTLIER_SIGMA * rng.standard_normal(size), noise)
    factors: list[float] = (1 + noise).tolist()
    return factors
