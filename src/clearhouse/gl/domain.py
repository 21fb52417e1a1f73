"""The general ledger declared."""

from clearhouse.gl.lines_dataset import LINES
from clearhouse.pipeline.domain import Domain, packaged

GL = Domain("gl", (LINES,), **packaged("gl"))
