from importlib import import_module

import pytest

from clearhouse.core.deferred import left_out


def test_a_module_is_left_out_for_as_long_as_is_said_and_not_longer() -> None:
    with left_out("this"), pytest.raises(ModuleNotFoundError):
        import_module("this")
    assert import_module("this").__name__ == "this"
