"""Judging frames of many days by one Great Expectations checkpoint: a verdict for each day.

A rule is judged row by row, and a broken row holds the day that it belongs to: `mostly` and rules
over a column as a whole have no meaning for a day, and the second kind is refused.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clearhouse.quality import project, sentences
from clearhouse.quality.frames import Frame, Frames, parts_of
from clearhouse.quality.verdicts import Failure, QualityError, Verdict

if TYPE_CHECKING:  # pandas takes a while to import, and few commands judge anything
    import pandas as pd

_DAY_COLUMN = "book_date"

NO_ROWS = "day_has_rows"
"""The rule that no suite can state: an empty frame breaks none of its rules."""


def judge_frames(
    project_dir: Path, work_dir: Path, checkpoint: str, frames: "Frames", days: Sequence[dt.date]
) -> dict[dt.date, Verdict]:
    """See `Gates.judge`."""
    failures: dict[dt.date, list[Failure]] = {day: [] for day in days}
    with project.opened(project_dir, work_dir) as context:
        gate = _checkpoint(context, checkpoint)
        for validation in gate.validation_definitions:
            asset = validation.asset
            if asset.name not in frames:
                raise QualityError(f"The gate {checkpoint} needs the frame {asset.name}.")
            parts = _parts(frames[asset.name])
            for day, failure in _failures(validation, gate.result_format, parts, days):
                if day in failures:
                    failures[day].append(failure)
    return {day: Verdict(day, not found, tuple(found)) for day, found in failures.items()}


@dataclass(frozen=True)
class _ByDay:
    """A frame, and the day of each of its rows.

    Args:
        asset: the frame's name.
        frame: the rows, numbered from 0.
        days: the distinct days.
        day_of_row: for each row, its position in `days`.
        rows: number of rows by day.
    """

    asset: str
    frame: "pd.DataFrame"
    days: list[dt.date]
    day_of_row: npt.NDArray[np.intp]
    rows: dict[dt.date, int]

    @classmethod
    def of(cls, asset: str, frame: "pd.DataFrame") -> "_ByDay":
        import pandas as pd

        if _DAY_COLUMN not in frame.columns:
            raise QualityError(f"The frame {asset} has no column {_DAY_COLUMN}.")
        codes, values = pd.factorize(frame[_DAY_COLUMN])
        day_of_row = np.asarray(codes, dtype=np.intp)
        if (day_of_row < 0).any():
            raise QualityError(f"A row of {asset} has no {_DAY_COLUMN}: it belongs to no day.")
        days = [_day(asset, value) for value in values]
        if len(set(days)) < len(days):
            raise QualityError(f"{asset}.{_DAY_COLUMN} writes one date in more than one way.")
        counts = np.bincount(day_of_row, minlength=len(days))
        rows = dict(zip(days, counts.tolist(), strict=True))
        return cls(asset, frame.reset_index(drop=True), days, day_of_row, rows)

    def broken(self, positions: npt.NDArray[np.intp]) -> Iterator[tuple[dt.date, int, int]]:
        """Days among the rows at these positions: the day, its broken rows, the first of them."""
        codes, first, counts = np.unique(
            self.day_of_row[positions], return_index=True, return_counts=True
        )
        for code, at, count in zip(codes, positions[first], counts, strict=True):
            yield self.days[code], int(count), int(at)


def _parts(frame: "Frame | Iterable[Frame]") -> Iterable["pd.DataFrame"]:
    for part in parts_of(frame):
        yield part.to_pandas() if isinstance(part, pa.Table) else cast("pd.DataFrame", part)


def _failures(
    validation: Any, result_format: Any, parts: Iterable["pd.DataFrame"], days: Sequence[dt.date]
) -> Iterator[tuple[dt.date, Failure]]:
    """What the days broke of one suite; some may be other days than those asked for."""
    asset = validation.asset
    seen: set[dt.date] = set()
    for part in parts:
        by_day = _ByDay.of(asset.name, part)
        for day in seen.intersection(by_day.rows):
            raise QualityError(f"{asset.name} has {day} in two parts: keep a day's rows together.")
        seen.update(by_day.rows)
        for result in _run(validation, result_format, by_day):
            yield from _broken(result, by_day, asset)
    if not _may_be_empty(asset):
        yield from ((day, _no_rows(asset.name, day)) for day in days if day not in seen)


def _day(asset: str, value: Any) -> dt.date:
    try:
        if isinstance(value, dt.datetime):  # a pandas Timestamp is one
            return value.date()
        return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError:
        raise QualityError(f"{value!r} in {asset}.{_DAY_COLUMN} is not a date.") from None


def _checkpoint(context: Any, name: str) -> Any:
    from great_expectations.exceptions import GreatExpectationsError

    known = sorted(key.to_tuple()[0] for key in context.checkpoint_store.list_keys())
    if name not in known:
        raise QualityError(f"There is no gate {name}: there are {', '.join(known)}.")
    try:
        return context.checkpoints.get(name)
    except (GreatExpectationsError, ValueError) as error:
        raise QualityError(f"The files of the gate {name} in gx/ can't be used: {error}") from error


def _run(validation: Any, result_format: Any, by_day: _ByDay) -> list[Any]:
    """The result of every rule of the suite; none for a frame without rows.

    Each validation is run by itself, because `Checkpoint.run` gives one and the same frame to all;
    and on the batch, because a run by the validation definition also writes every result out, row
    by row, which takes ten times as long as the judging when a year is bad.
    """
    from great_expectations.exceptions import GreatExpectationsError

    if by_day.frame.empty:
        return []
    try:
        batch = validation.batch_definition.get_batch({"dataframe": by_day.frame})
        outcome = batch.validate(validation.suite, result_format=result_format)
    except GreatExpectationsError as error:
        raise QualityError(f"{validation.name} could not be judged: {error}") from error
    return list(outcome.results)


def _broken(result: Any, by_day: _ByDay, asset: Any) -> Iterator[tuple[dt.date, Failure]]:
    """The days that broke one rule; where a day has a row for each of its parts, once for each."""
    expectation = result.expectation_config.type
    rule = result.expectation_config.kwargs
    column = sentences.column_of(rule)
    positions, named_by = _positions(result, by_day.asset), _named_by(asset)
    if named_by:
        for at in positions:
            profile = by_day.frame.iloc[at].to_dict()
            detail = f"{profile[named_by]} {sentences.of_day(expectation, rule, profile)}"
            yield by_day.days[by_day.day_of_row[at]], Failure(expectation, column, detail, 1)
        return
    for day, count, at in by_day.broken(positions):
        if _grain(asset) == "day":
            detail = sentences.of_day(expectation, rule, by_day.frame.iloc[at].to_dict())
        else:
            detail = sentences.of_rows(expectation, rule, count, by_day.rows[day])
        yield day, Failure(expectation, column, detail, count)


def _positions(result: Any, asset: str) -> npt.NDArray[np.intp]:
    """Positions of all the rows that broke a rule.

    Raises:
        QualityError: the rule was not computed, or its result does not name every row.
    """
    config = result.expectation_config
    rule = f"{config.type} on {asset}.{sentences.column_of(config.kwargs)}"
    problem = _exception(result.exception_info)
    if problem is not None:
        raise QualityError(f"{rule} could not be computed: {problem}.")
    positions = result.result.get("unexpected_index_list")
    if positions is None or len(positions) != result.result.get("unexpected_count"):
        raise QualityError(
            f"{rule} does not name the rows that break it: use a rule of single rows, and "
            "the result format COMPLETE in the checkpoint."
        )
    return np.asarray(positions, dtype=np.intp)


def _exception(info: Mapping[str, Any]) -> str | None:
    """What went wrong inside the library, if anything: flat, or nested by the failed metric."""
    parts = [info] if "raised_exception" in info else list(info.values())
    for part in parts:
        if part["raised_exception"]:
            return str(part["exception_message"]).strip().splitlines()[0].rstrip(".")
    return None


def _grain(asset: Any) -> str:
    return str((asset.batch_metadata or {}).get("grain", "row"))


def _named_by(asset: Any) -> str:
    """The column that names the part of a day that a row is of; "" where a row is of the day."""
    return str((asset.batch_metadata or {}).get("named_by", ""))


def _may_be_empty(asset: Any) -> bool:
    """Whether a day without rows is healthy: the gate then judges their number in another frame."""
    return bool((asset.batch_metadata or {}).get("may_be_empty", False))


def _no_rows(asset: str, day: dt.date) -> Failure:
    return Failure(NO_ROWS, _DAY_COLUMN, f"{_DAY_COLUMN}: {asset} has no rows for {day}", 0)
