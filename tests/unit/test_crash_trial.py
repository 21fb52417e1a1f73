"""The killer of runs tells where nothing was killed."""

import json

import pytest
from crash.conftest import KILLED, Trial

HEALTHY = "healthy"


class Process:
    """Answers orders in place of the process that runs steps.

    Args:
        journal: file that its runs write to.
        dies: whether a run dies where it is told to.
    """

    def __init__(self, journal, dies):
        self._journal, self._dies = journal, dies
        self._answer = {}

    def write(self, line):
        order = json.loads(line)
        self._answer = {"exit_code": 0}
        if order.get("looks"):
            self._journal.write_text("1 before sql a\n1 after sql b\n")
        elif "die_at" in order and self._dies:
            self._journal.write_text(f"1 {'after' if order['after'] else 'before'} sql\n")
            self._answer = KILLED

    def flush(self):
        pass

    def readline(self):
        return json.dumps(self._answer)


@pytest.mark.parametrize("every_write", [True, False])
def test_a_step_that_was_never_killed_is_no_success(tmp_path, every_write):
    process = Process(tmp_path / "journal", dies=False)
    trial = Trial(tmp_path, process, process, ["ingest"], lambda home: None)
    trial.undisturbed(HEALTHY)
    with pytest.raises(AssertionError, match="never killed"):
        list(trial.killed_at("ingest", HEALTHY, every_write=every_write))


def test_each_place_that_differs_is_killed_at(tmp_path):
    process = Process(tmp_path / "journal", dies=True)
    trial = Trial(tmp_path, process, process, ["ingest"], lambda home: None)
    trial.undisturbed(HEALTHY)
    places = list(trial.killed_at("ingest", HEALTHY, every_write=True))
    assert places == ["ingest at 1 before sql", "ingest at 1 after sql"]
