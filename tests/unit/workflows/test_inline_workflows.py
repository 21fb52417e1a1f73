"""Activities in process: tried again by their policies, and left when they take too long."""

import threading
from collections.abc import Callable, Iterator

import pytest
import stamina

from clearhouse.core.errors import SettingsError, StoreError
from clearhouse.workflows.activity import Activity, ActivityTooSlowError, Retry
from clearhouse.workflows.inline import InlineWorkflows
from clearhouse.workflows.opening import open_workflows

QUICK = Retry(attempts=3, first_seconds=0.001, most_seconds=0.001)


@pytest.fixture
def workflows() -> Iterator[InlineWorkflows]:
    made = InlineWorkflows()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _retries_as_declared() -> None:
    stamina.set_testing(False)
    stamina.set_active(True)


class Failing:
    """Work that fails so many times, and then is done."""

    def __init__(self, times: int, error: Callable[[], Exception]) -> None:
        self.calls, self._times, self._error = 0, times, error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error()
        return "done"


def an_outage() -> Exception:
    return StoreError("It is away.", "away")


def test_an_outage_is_tried_again_as_often_as_the_policy_says(workflows: InlineWorkflows) -> None:
    work = Failing(2, an_outage)
    assert workflows.run(Activity("a", 1.0, QUICK), work) == "done"
    lasting = Failing(9, an_outage)
    with pytest.raises(StoreError):
        workflows.run(Activity("a", 1.0, QUICK), lasting)
    assert (work.calls, lasting.calls) == (3, 3)


@pytest.mark.parametrize("error", [an_outage, lambda: KeyError("a defect")])
def test_what_no_try_mends_is_not_tried_again(
    workflows: InlineWorkflows, error: Callable[[], Exception]
) -> None:
    retry = Retry(attempts=3, non_retryable=frozenset({"away", "KeyError"}))
    work = Failing(9, error)
    with pytest.raises(type(error())):
        workflows.run(Activity("a", 1.0, retry), work)
    assert work.calls == 1


def test_an_attempt_without_effects_is_left_when_it_takes_too_long(
    workflows: InlineWorkflows,
) -> None:
    released, calls = threading.Event(), []

    def slow_at_first() -> str:
        calls.append(1)
        if len(calls) == 1:
            released.wait(30)
        return "done"

    activity = Activity("a", 0.05, QUICK, can_be_left=True)
    assert workflows.run(activity, slow_at_first) == "done"
    with pytest.raises(ActivityTooSlowError):
        workflows.run(Activity("b", 0.01, can_be_left=True), lambda: released.wait(30))
    released.set()


def test_one_that_writes_is_waited_for(workflows: InlineWorkflows) -> None:
    assert workflows.run(Activity("a", 0.0), lambda: "done") == "done"


def test_a_url_that_names_no_workflows_is_refused() -> None:
    with pytest.raises(SettingsError, match="inline://"):
        open_workflows("temporal://somewhere")
