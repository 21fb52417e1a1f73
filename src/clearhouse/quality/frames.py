"""What is judged: rows of named frames, each whole or in parts."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Union

import pyarrow as pa

if TYPE_CHECKING:  # pandas takes a while to import, and few commands judge anything
    import pandas as pd

Frame = Union[pa.Table, "pd.DataFrame"]
Frames = Mapping[str, Frame | Iterable[Frame]]
"""By the name of an asset: its rows, or parts of them that hold whole days."""


def parts_of(frame: Any) -> Iterable[Any]:
    """A table by itself, or its parts."""
    return (frame,) if hasattr(frame, "columns") else frame
