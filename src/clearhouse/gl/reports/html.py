"""A pack as one page of HTML that asks nothing of any server, and prints like a document."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clearhouse.gl.reports.model import Pack
from clearhouse.gl.reports.shown import shown

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # names of wells and texts of entries come from outside
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(pack: Pack) -> str:
    """The page. The same pack gives the same text."""
    return _PAGES.get_template("pack.html").render(pack=shown(pack))
