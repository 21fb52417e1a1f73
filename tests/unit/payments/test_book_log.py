"""The log as the books read it, on a file."""

from contextlib import closing
from pathlib import Path

from kept_days import check_kept_days

from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log


def test_days_are_measured_of_which_nothing_is_forgotten(tmp_path: Path) -> None:
    with closing(open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))) as log:
        check_kept_days(log)
