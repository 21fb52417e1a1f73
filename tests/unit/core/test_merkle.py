"""The tree against the published vectors of RFC 6962, and against the definition itself."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.core.merkle import leaf_hash, path, root, root_from_path

# The inputs, roots and audit paths of the Certificate Transparency reference tests.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = [  # index, size, path
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def defined_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*defined_path(m, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(m - k, leaves[k:]), defined_root(leaves[:k])]


def test_the_published_roots() -> None:
    assert [root(LEAVES[:size]).hex() for size in range(9)] == list(ROOTS)


@pytest.mark.parametrize(("index", "size", "expected"), PATHS)
def test_the_published_paths(index: int, size: int, expected: list[str]) -> None:
    assert [each.hex() for each in path(LEAVES[:size], index)] == expected


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70), st.data())
def test_every_tree_and_every_proof_is_that_of_the_definition(
    texts: list[bytes], data: st.DataObject
) -> None:
    leaves = [leaf_hash(text) for text in texts]
    index = data.draw(st.integers(0, len(texts) - 1))

    found = path(leaves, index)

    assert root(leaves) == defined_root(texts)
    assert found == defined_path(index, texts)
    assert root_from_path(leaves[index], index, len(leaves), found) == root(leaves)


def test_a_proof_of_another_leaf_place_or_size_does_not_come_to_the_root() -> None:
    for size in range(1, 9):
        leaves, expected = LEAVES[:size], root(LEAVES[:size])
        for index in range(size):
            found = path(leaves, index)
            for other in range(size):
                place = other, size, found
                assert (comes_to(leaves[index], *place) == expected) == (other == index)
                assert (comes_to(leaves[other], index, size, found) == expected) == (other == index)
            assert comes_to(leaves[index], index, size, [*found, expected]) is None
            assert comes_to(leaves[index], index, size, found[:-1]) is None or not found
    assert comes_to(LEAVES[0], 8, 8, path(LEAVES, 0)) is None
    assert comes_to(LEAVES[0], -1, 8, path(LEAVES, 0)) is None
    for index in (-1, 8):
        with pytest.raises(IndexError):
            path(LEAVES, index)


def comes_to(leaf: bytes, index: int, size: int, beside: list[bytes]) -> bytes | None:
    """The root that a proof comes to; None where it can't be one."""
    try:
        return root_from_path(leaf, index, size, beside)
    except ValueError:
        return None
