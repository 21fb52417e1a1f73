"""How far a day is from what its source promises: drift of its shares, and freshness.

*Drift* is how far the day's shares are from the baseline's, over the farthest that a healthy day
can be: 1 is the bound. The distance is the root of the relative entropy (Kullback-Leibler
divergence, in nats). How far chance alone goes is known for any number of records (Agrawal,
"Finite-Sample Concentration of the Multinomial in Relative Entropy", IEEE Transactions on
Information Theory 66, 2020): of n records in k classes,

    P(entropy >= x / n) <= exp(-x) * (e * x / (k - 1)) ** (k - 1)      for x > k - 1

To it comes the baseline's own tolerance, for what differs between healthy days beside chance; the
distances of the two add up.

Figures are rounded, so that a person can read them, and bounds like them: what is within its bound
stays within it.
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearhouse.core.errors import ClearhouseError

_FALSE_ALARM = 1e-6
"""Chance that a healthy day is held for one figure. A year has about 4,000 of them."""

_OTHER_SHARE = 0.001
"""Share of a class that the baseline does not know, null among them: a few records of it are an
oddity, a few per cent of it a change of the source."""

_PUNCTUAL_HOURS = 0.25
_DAY_HOURS = 24.0


class BaselineError(ClearhouseError):
    """A baseline file that can't be used."""

    code = "bad_baseline"


@dataclass(frozen=True)
class Distribution:
    """Shares by class, above 0 and adding up to 1, and how far healthy days are off by nature."""

    shares: Mapping[str, float]
    tolerance_nats: float


@dataclass(frozen=True)
class Baseline:
    """What a source's days look like.

    Attributes:
        name: of the source.
        evening_rate: records an hour at the end of a day, relative to the day's mean hour: at
            least this.
        distributions: by name; what is not there is not watched.
    """

    name: str
    evening_rate: float
    distributions: Mapping[str, Distribution]

    @classmethod
    def load(cls, path: Path, watched: Collection[str]) -> "Baseline":
        """A baseline from its file.

        Args:
            path: the file.
            watched: the names that its distributions may have.

        Raises:
            BaselineError: there is no such file, or it is not one.
        """
        try:
            content = json.loads(path.read_text())
            found = {
                name: Distribution(each["shares"], float(each["tolerance_nats"]))
                for name, each in content["distributions"].items()
            }
            baseline = cls(content["name"], float(content["evening_rate"]), found)
        except OSError as error:
            raise BaselineError(
                f"{path} can't be read ({error.strerror}): name one that is there."
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BaselineError(f"{path} is not a baseline ({error!r}): make it again.") from error
        check_distributions(path, found, watched)
        if not 0 < baseline.evening_rate <= 1:
            raise BaselineError(f"evening_rate in {path} must be above 0 and at most 1.")
        return baseline


def check_distributions(
    path: Path, distributions: Mapping[str, Distribution], watched: Collection[str]
) -> None:
    """See that what a file promises are shares of what is watched.

    Raises:
        BaselineError: they are not.
    """
    for name, each in distributions.items():
        if name not in watched:
            known = ", ".join(watched)
            raise BaselineError(f"{path} names {name}, which is not watched: it may name {known}.")
        shares = each.shares.values()
        if not all(share > 0 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-3):
            raise BaselineError(f"The shares of {name} in {path} must be above 0 and add up to 1.")


def stale_limit(records: npt.NDArray[np.int64], evening_rate: float) -> npt.NDArray[np.float64]:
    """The longest healthy time in hours from a day's newest record to its end, by its records.

    Records that come at a rate leave a gap of t hours with the chance exp(-rate * t).
    """
    rate_per_hour = records.astype(np.float64) * (evening_rate / _DAY_HOURS)
    gap_hours = _PUNCTUAL_HOURS - math.log(_FALSE_ALARM) / rate_per_hour
    return np.asarray(np.round(np.minimum(gap_hours, _DAY_HOURS), 3), dtype=np.float64)


def drift(
    counts: Sequence[Mapping[str, int]], expected: Distribution | None
) -> npt.NDArray[np.float64]:
    """How far the shares of each day are from those expected; 1 is the most that is healthy.

    Args:
        counts: by day, records by class; at least one record a day.
        expected: None: nothing is promised, and the drift is 0.
    """
    if expected is None:
        return np.zeros(len(counts))
    classes = list(expected.shares)
    known = np.array([[day.get(name, 0) for name in classes] for day in counts], dtype=np.float64)
    known = known.reshape(len(counts), len(classes))
    records = np.array([sum(day.values()) for day in counts], dtype=np.float64)
    seen = np.column_stack([known, records - known.sum(axis=1)]) / records[:, None]
    promised = np.array([*expected.shares.values()])
    promised = np.append(promised / promised.sum() * (1 - _OTHER_SHARE), _OTHER_SHARE)
    entropy = (seen * np.log(np.where(seen > 0, seen / promised, 1.0))).sum(axis=1)
    # Rounding in the sum can leave shares that are as promised a hair below 0.
    distance = np.sqrt(np.maximum(entropy, 0))
    drifts: npt.NDArray[np.float64] = np.round(
        distance / drift_limit(records, len(promised), expected.tolerance_nats), 3
    )
    return drifts


def drift_limit(
    records: npt.NDArray[np.float64], classes: int, tolerance_nats: float
) -> npt.NDArray[np.float64]:
    """The farthest that a healthy day is from its baseline, in root nats, by its records."""
    limit: npt.NDArray[np.float64] = np.sqrt(_chance(classes) / records) + math.sqrt(tolerance_nats)
    return limit


@cache
def _chance(classes: int) -> float:
    """The x at which the bound in this module's docstring is `_FALSE_ALARM`; above classes - 1."""
    free = classes - 1
    x = -math.log(_FALSE_ALARM) + free
    for _ in range(100):  # a contraction: the error shrinks by free / x < 1 each time
        x = -math.log(_FALSE_ALARM) + free * (1 + math.log(x / free))
    return x
