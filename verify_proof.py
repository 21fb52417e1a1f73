#!/usr/bin/env python3
"""Check a proof that `clearhouse prove` wrote: that a record is among those of a sealed day.

Needs Python 3.10 or later, and nothing else:

    python -I -S verify_proof.py PROOF.json [CERTIFICATE.json] [--head LENGTH:HASH]

It follows the record upwards, and each step is a SHA-256:

1. The record's fields, each with its length before it, are a leaf of a Merkle tree (RFC 6962).
2. The path in the proof leads from the leaf to the tree's root.
3. The day's certificate holds that root, for the hop that the record was certified at.
4. The certificate's text has the seal that the proof names, and is the text of CERTIFICATE.json.
5. The certificate stands in the journal of the books, and from there to the head the journal is
   unbroken. Without a place in the journal this step is left out, and that is said.

Exit code 0: all of it holds. 1: something does not, and the first such thing is named.
2: the input can't be read.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

NO_ENTRY = "0" * 64  # what stands before the first entry of a journal
SHA_256 = re.compile("[0-9a-f]{64}")
HEAD = re.compile("([1-9][0-9]{0,17}):([0-9a-f]{64})")

# The members of a proof and their types. There are no others.
RECORD = {
    "record_id": str,
    "record_key": str,
    "amount_minor": int,
    "currency": str,
    "content": str,
}
PROOF = {
    "version": int,
    "domain": str,
    "hop": str,
    "book_date": str,
    "record": dict,
    "index": int,
    "tree_size": int,
    "path": list,
    "certificate": str,
    "seal": str,
    "journal": (dict, type(None)),
}
JOURNAL = {"length": int, "prev": str, "hash": str, "kind": str, "body": str, "links": list}
LINK = {"kind": str, "body_digest": str}


class MalformedError(Exception):
    """The input is no proof."""


class RefusedError(Exception):
    """The proof does not hold."""


# --- the arithmetic ---


def sha256(data: bytes) -> bytes:
    """The one hash that everything here rests on."""
    return hashlib.sha256(data).digest()


def with_lengths(*texts: str) -> bytes:
    """Texts in UTF-8, each as `length:text`, so that no two lists look alike."""
    encoded = [text.encode() for text in texts]
    return b"".join(b"%d:%s" % (len(each), each) for each in encoded)


def leaf_of(record: dict[str, Any]) -> bytes:
    """The hash of a record's leaf."""
    return sha256(b"\x00" + with_lengths(*(str(record[name]) for name in RECORD)))


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a path leads to from a leaf.

    On each level a node is joined with its neighbour. The last node of a level with an odd number
    of nodes has none, and goes up as it is.
    """
    rest = iter(path)
    node, last = leaf, size - 1
    while last > 0:
        if index ^ 1 <= last:
            beside = next(rest, None)
            if beside is None:
                raise RefusedError("The path is too short for the tree's size.")
            node = sha256(b"\x01" + (beside + node if index % 2 else node + beside))
        index, last = index // 2, last // 2
    if next(rest, None) is not None:
        raise RefusedError("The path is too long for the tree's size.")
    return node


def entry_hash(prev: str, kind: str, body_digest: str) -> str:
    """The hash of an entry of the journal: over the hash before it, its kind, its body's digest."""
    return sha256(with_lengths(prev, kind, body_digest)).hex()


def body_digest(body: str) -> str:
    """The digest of an entry's body."""
    return sha256(with_lengths(body)).hex()


# --- the steps ---


def check(proof: dict[str, Any], file: bytes | None, head: tuple[int, str] | None) -> list[str]:
    """What was checked, in sentences.

    Raises:
        RefusedError: something does not hold; the first such thing is named.
    """
    sealed = check_certificate(proof, file)
    check_path(proof, sealed)
    record = proof["record"]
    checked = [
        f"The record {record['record_id']!r}, {record['amount_minor']} minor units of "
        f"{record['currency']!r}, is leaf {proof['index']} of the {proof['tree_size']} records at "
        f"{proof['hop']!r} on {proof['book_date']!r} in {proof['domain']!r}.",
        f"The certificate of that day holds the root of their tree, and its seal is "
        f"{proof['seal']}.",
    ]
    if file is not None:
        checked.append("The certificate that you gave is the one in the proof, byte for byte.")
    return checked + check_journal(proof, head)


def check_certificate(proof: dict[str, Any], file: bytes | None) -> dict[str, Any]:
    """The certificate's part on the hop of the proof."""
    text = proof["certificate"]
    if sha256(text.encode()).hex() != proof["seal"]:
        raise RefusedError("The certificate's text does not match the seal.")
    if file is not None and file != text.encode():
        raise RefusedError("The certificate in the proof is not the one that you gave.")
    try:
        content = json.loads(text)
        canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if canonical != text:
            raise RefusedError("The certificate is not written in the one form that is sealed.")
        for name in ("domain", "book_date"):
            if content[name] != proof[name]:
                raise RefusedError(f"The certificate is of another {name} than the proof.")
        hops = [hop for hop in content["hops"] if hop["hop"] == proof["hop"]]
        if len(hops) != 1:
            raise RefusedError(f"The certificate does not hold the hop {proof['hop']!r} once.")
        sealed = dict(hops[0])
        if sealed["tree_size"] != sealed["totals"]["out"]["records"]:
            raise RefusedError(
                "The certificate's tree has another number of records than its totals."
            )
        return {"root": sealed["root"], "tree_size": sealed["tree_size"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError("The certificate is not one of a closed day with a root.") from error


def check_path(proof: dict[str, Any], sealed: dict[str, Any]) -> None:
    """From the record by its path to the root that is sealed."""
    index, size, path = proof["index"], proof["tree_size"], proof["path"]
    if size != sealed["tree_size"]:
        raise RefusedError("The tree's size is not the one in the certificate.")
    if not 0 <= index < size:
        raise RefusedError(f"A tree of {size} records has no leaf {index}.")
    for number, step in enumerate(path, 1):
        if not isinstance(step, str) or not SHA_256.fullmatch(step):
            raise RefusedError(f"Step {number} of the path is not a SHA-256 in lower-case hex.")
    root = root_of(leaf_of(proof["record"]), index, size, [bytes.fromhex(step) for step in path])
    if root.hex() != sealed["root"]:
        raise RefusedError("The record and its path do not lead to the root in the certificate.")


def check_journal(proof: dict[str, Any], head: tuple[int, str] | None) -> list[str]:
    """The certificate's place in the journal, and the chain from there to the head."""
    place = proof["journal"]
    if place is None:
        if head:
            raise RefusedError("The proof has no place in the journal to be held against the head.")
        return ["Not checked: the proof has no place in the journal of the books."]
    if place["length"] < 1 or (place["length"] == 1) != (place["prev"] == NO_ENTRY):
        raise RefusedError("The journal's entry does not stand where the proof says.")
    if entry_hash(place["prev"], place["kind"], body_digest(place["body"])) != place["hash"]:
        raise RefusedError("The journal's entry does not have its hash.")
    if place["kind"] != "certificate" or not names_seal(place["body"], proof["seal"]):
        raise RefusedError("The journal's entry is not that of the certificate.")
    checked = [f"It is entered in the journal of the books, under the hash {place['hash']}."]
    heads = [(place["length"], place["hash"])]
    for link in place["links"]:
        length, last = heads[-1]
        heads.append((length + 1, entry_hash(last, link["kind"], link["body_digest"])))
    (first, _), (length, last) = heads[0], heads[-1]
    if head is None:
        return [
            *checked,
            f"Not checked: a head of the journal; the proof goes up to {length}:{last}.",
        ]
    if head not in heads:
        raise RefusedError(
            f"The proof's part of the journal, from {first} to {length}, has not the head that "
            "you gave."
        )
    return [
        *checked,
        f"The journal is unbroken from there to the head that you gave, {head[0]}:{head[1]}.",
    ]


def names_seal(body: str, seal: str) -> bool:
    """Whether an entry's body holds the certificate with this seal: its columns are lists."""
    try:
        return bool(seal in json.loads(body)["books_certificate"]["seal"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def unknown(*, is_trusted: bool) -> list[str]:
    """What no such file can prove by itself."""
    said = [
        "It can't know whether the record is true: only that it was there when the day was sealed.",
        "It can't know whether the day was opened again since then.",
    ]
    if not is_trusted:
        said.append(
            "It can't know whether the certificate is the owner's: who writes a proof can write a "
            "certificate too. Compare the seal with one that you got otherwise, or give "
            "CERTIFICATE.json or --head."
        )
    return said


# --- reading ---


def read_bytes(path: str) -> bytes:
    """A file, whole."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise MalformedError(
            f"{path} can't be read: {getattr(error, 'strerror', error)}."
        ) from error


def read_proof(path: str) -> dict[str, Any]:
    """The proof in a file, with the members it must have."""
    data = read_bytes(path)
    try:
        proof = json.loads(data.decode("utf-8"), object_pairs_hook=members_once)
        json.dumps(proof, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{path} is not JSON in UTF-8 with each member once.") from error
    shape(proof, PROOF, "The proof")
    if proof["version"] != 1:
        raise MalformedError(
            f"The proof has version {proof['version']}; this program reads version 1."
        )
    shape(proof["record"], RECORD, "The record")
    if proof["journal"] is not None:
        shape(proof["journal"], JOURNAL, "The place in the journal")
        for link in proof["journal"]["links"]:
            shape(link, LINK, "A link of the journal")
    return dict(proof)


def members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; two members of one name would be read differently by different programs."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member stands there twice")
    return dict(pairs)


def shape(value: Any, members: dict[str, Any], what: str) -> None:
    """See that an object has these members and no others, each of its type."""
    if not isinstance(value, dict) or set(value) != set(members):
        raise MalformedError(f"{what} must have exactly the members {', '.join(members)}.")
    for name, kind in members.items():
        if not isinstance(value[name], kind) or isinstance(value[name], bool):
            raise MalformedError(f"{what} has a member {name} of another type than it should have.")


def main() -> int:
    """Read, check, and say what came of it."""
    parser = argparse.ArgumentParser(description="Check a proof that `clearhouse prove` wrote.")
    parser.add_argument("proof", metavar="PROOF.json")
    parser.add_argument("certificate", metavar="CERTIFICATE.json", nargs="?")
    parser.add_argument("--head", metavar="LENGTH:HASH", help="a head of the journal that you kept")
    asked = parser.parse_args()
    try:
        head = None
        if asked.head is not None:
            parts = HEAD.fullmatch(asked.head)
            if not parts:
                raise MalformedError("--head must be a number, a colon and 64 hex digits.")
            head = int(parts[1]), parts[2]
        file = read_bytes(asked.certificate) if asked.certificate is not None else None
        checked = check(read_proof(asked.proof), file, head)
    except MalformedError as error:
        print(f"Malformed: {error}", file=sys.stderr)
        return 2
    except RefusedError as error:
        print(f"Refused: {error}", file=sys.stderr)
        return 1
    print("The proof holds.", *checked, *unknown(is_trusted=bool(file or head)), sep="\n")
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
