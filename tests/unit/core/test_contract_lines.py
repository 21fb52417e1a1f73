"""The lines of a payload, as views of it and as texts of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearhouse.core.contract.lines import split_lines, views_of_lines

PIECES = st.sampled_from(["a", "bcd", "\n", "ü", "efghijklmnop", "{}", "x" * 40])


@given(st.lists(PIECES, min_size=1).map("".join))
def test_views_hold_the_text_of_each_line(text: str) -> None:
    views = views_of_lines(text.encode())

    views.validate(full=True)
    assert [line.encode() for line in views.to_pylist()] == split_lines(text.encode())


@pytest.mark.parametrize("length", [0, 4, 11, 12, 13])
def test_a_line_of_any_length_ends_where_it_ends(length: int) -> None:
    line = "abcdefghijklmnop"[:length]

    assert views_of_lines(f"first line\n{line}\nlast line\n".encode()).to_pylist()[1] == line
