import pytest

from clearhouse.core.errors import first_line


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("IO Error: no such file.\n\nLINE 1: SELECT"), "IO Error: no such file"),
        (ValueError("\n  it is cut  "), "it is cut"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_an_error_of_a_library_is_told_by_its_first_line(error: Exception, told: str) -> None:
    assert first_line(error) == told
