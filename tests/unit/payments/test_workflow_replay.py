"""Histories of each version of the runs of payments, replayed on the definitions of today.

A history that no longer fits is of a run that would be stuck after the next deployment. The replay
is in the sandbox, which refuses what is not deterministic; the worker does without it.
"""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from clearhouse.payments.workflows.worker_service import WORKFLOWS
from clearhouse.workflows.temporal_payloads import CONVERTER

HISTORIES = sorted(Path(__file__).with_name("histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_run_of_any_version_goes_on_as_it_began(path):
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    replayer = Replayer(workflows=WORKFLOWS, data_converter=CONVERTER)
    asyncio.run(replayer.replay_workflow(history))
