"""Programs of the repository that are no part of the package."""

import importlib.util
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).parents[1]


def loaded(place: str) -> ModuleType:
    """The program at a place below the repository, as a module."""
    path = REPOSITORY / place
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
