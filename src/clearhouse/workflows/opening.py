"""Opening the workflows that a URL names."""

from clearhouse.core.errors import SettingsError
from clearhouse.workflows.activity import Workflows
from clearhouse.workflows.inline import InlineWorkflows


def open_workflows(url: str) -> Workflows:
    """What runs activities.

    Args:
        url: `inline://`.

    Raises:
        SettingsError: nothing has such a URL.
    """
    if url != "inline://":
        raise SettingsError("WORKFLOWS_URL names no workflows: write inline://.")
    return InlineWorkflows()
