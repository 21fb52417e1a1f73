"""The stores of a command that pulls nothing."""

from clearhouse.bnpl.context import Bnpl
from clearhouse.cli.progress import under_way
from clearhouse.settings import Settings
from clearhouse.world import open_bnpl


def opened(config: Settings) -> Bnpl:
    """The domain's parts, opened; where that takes long, the command says so."""
    with under_way("opening the stores"):
        return open_bnpl(config)
