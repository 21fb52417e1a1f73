"""The Merkle tree of RFC 6962 with SHA-256: one hash for a list, and short proofs of its members.

A leaf is hashed with 00 before it and a node with 01, so that neither can pass for the other. A
tree is split at the largest power of two below its size. Level by level that is: neighbours are
hashed in pairs, and an odd last one goes up as it is.

Source: RFC 6962, section 2.1.
"""

from collections.abc import Sequence
from hashlib import sha256

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(_LEAF + leaf).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves; that of none is the hash of nothing."""
    level = leaves
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else sha256().digest()


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of a leaf: the hashes beside its way to the root, from below.

    Args:
        leaves: the hashes of all leaves.
        index: of the leaf, from 0.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"There is no leaf {index} among {len(leaves)}.")
    found: list[bytes] = []
    level = leaves
    while len(level) > 1:
        if index ^ 1 < len(level):
            found.append(level[index ^ 1])
        level, index = _above(level), index // 2
    return found


def root_from_path(leaf: bytes, index: int, size: int, beside: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof comes to.

    Args:
        leaf: the leaf's hash.
        index: its place, from 0.
        size: how many leaves there are.
        beside: the proof, as `path` gives it.

    Raises:
        ValueError: it can't be the proof of that place in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} among {size}.")
    rest = list(reversed(beside))
    found, last = leaf, size - 1
    while last:
        if index ^ 1 <= last:
            if not rest:
                raise ValueError("The path is too short.")
            other = rest.pop()
            left, right = (other, found) if index % 2 else (found, other)
            found = sha256(_NODE + left + right).digest()
        index, last = index // 2, last // 2
    if rest:
        raise ValueError("The path is too long.")
    return found


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [sha256(_NODE + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above
