"""Proofs with something else in them, made by one who knows how."""

import hashlib
import json
from typing import Any


def changed(proof: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The proof with another value; `record.currency` is a member of its record."""
    outer, _, inner = name.partition(".")
    return {**proof, outer: {**proof[outer], inner: value} if inner else value}


def sealed_anew(proof: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The proof with a certificate that was edited and sealed anew, which no journal holds."""
    content = {**json.loads(proof["certificate"]), **other}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {**proof, "certificate": text, "seal": sha256(text), "journal": None}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def digest(*texts: str) -> str:
    return sha256("".join(f"{len(each.encode())}:{each}" for each in texts))


def entry_hash(prev: str, kind: str, body: str) -> str:
    """As the books hash an entry of the journal."""
    return digest(prev, kind, digest(body))


def entered(proof: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The proof with a place in a journal of three entries, the second of which is its own."""
    body = json.dumps({"books_certificate": {"domain": ["toy"], "seal": [proof["seal"]]}})
    entry = {"prev": "1" * 64, "kind": "certificate", "body": body}
    link = {"kind": "audit", "body_digest": digest('{"domain":"→"}')}
    place = {"length": 2, **entry, "hash": entry_hash(**entry), "links": [link], **other}
    return {**proof, "journal": place}
