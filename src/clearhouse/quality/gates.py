"""Gates: one Great Expectations checkpoint over many days, a verdict for each.

The rules are the files in gx/. A checkpoint names its validations, a validation its asset and its
suite; an asset is a table with a `book_date` (a date, or text YYYY-MM-DD) on each row, and
its `grain` in gx/great_expectations.yml says whether it is a profile (`day`, one row a book date)
or records (`row`). A profile of the parts of a day has a row for each, and `named_by` is the column
that names them in what is told.

The rows of a year are many: a frame may come in parts, which are judged and freed one after
another. A day lies whole in one part, so that its counts are of the day.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from clearhouse.quality import worker
from clearhouse.quality.frames import Frames
from clearhouse.quality.judging import judge_frames
from clearhouse.quality.verdicts import Verdict


class Gates:
    """The checkpoints of a Great Expectations project.

    Args:
        project_dir: the folder gx/ with the committed files; never written.
        work_dir: a folder for working copies of it, made when needed.
    """

    def __init__(self, project_dir: Path, work_dir: Path) -> None:
        self._project_dir = project_dir
        self._work_dir = work_dir

    def judge(
        self,
        checkpoint: str,
        frames: Frames,
        days: Sequence[dt.date],
    ) -> dict[dt.date, Verdict]:
        """A verdict for every day asked for, in the order asked; other days are ignored.

        A day without a row in any of the frames fails.

        Args:
            checkpoint: name of a file in gx/checkpoints.
            frames: by the name of the asset, one for each that the checkpoint needs, or its
                parts, which are asked for one at a time.
            days: the book dates to judge.

        Raises:
            QualityError: there is no verdict: an unknown checkpoint, a missing frame or column,
                a row without a book date, a day in two parts of a frame, or a rule that could not
                be computed.
        """
        # Where the library is imported already, there is nothing to import beside other work.
        judging = judge_frames if worker.is_here() else worker.judge
        return judging(self._project_dir, self._work_dir, checkpoint, frames, days)
