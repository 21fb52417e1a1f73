"""Proofs of records of closed days, and certificates that others laid hands on."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from programs import REPOSITORY, loaded
from proof_edits import changed, digest, entered, entry_hash, sealed_anew, sha256
from toy_home import DAYS, TICKETS, Toy

from clearhouse.books.certificate import CertificateError, certificate_table
from clearhouse.core.errors import UsageError
from clearhouse.core.merkle import leaf_hash, root
from clearhouse.pipeline.prove import leaf_text
from clearhouse.pipeline.tamper import tamper

VERIFY = REPOSITORY / "verify_proof.py"
CLOSED, REOPENED, OPEN = DAYS[:3]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A closed day with quarantined tickets, a reopened one with corrections, and an open one."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    kinds = [f"{CLOSED}=unreadable", f"{REOPENED}=restated"]
    faults = [part for kind in kinds for part in ("--fault", kind)]
    assert toy.command("run", "toy", "--from", CLOSED, "--to", OPEN, *faults).exit_code == 0
    for day in (CLOSED, REOPENED):
        assert toy.command("close", "toy", "--date", day).exit_code == 0
    assert reopen(toy, REOPENED, "restated once more") is None
    return toy


@pytest.fixture(scope="module")
def proof(toy: Toy) -> dict[str, Any]:
    """Of some ticket of the closed day."""
    found = toy.command("prove", "toy", ticket_of(toy, CLOSED))
    assert found.exit_code == 0, found.exception
    return dict(json.loads(found.stdout))


def ticket_of(toy: Toy, day: dt.date) -> int:
    """A ticket's number."""
    numbers = toy.read(f"SELECT number FROM {TICKETS} WHERE _book_date = '{day}' ORDER BY 1")
    return int(numbers[7][0])


def reopen(toy: Toy, day: dt.date, reason: str) -> BaseException | None:
    return toy.command("reopen", "toy", "--date", day, "--reason", reason).exception


# --- what is proved -----------------------------------------------------------------------------


def test_a_proof_holds_for_who_has_nothing_of_clearhouse(toy: Toy, tmp_path: Path) -> None:
    proof, number = tmp_path / "proof.json", ticket_of(toy, CLOSED)
    assert toy.command("prove", "toy", number, "--out", proof).exit_code == 0
    certificate = toy.home / "certificates" / "toy" / f"{CLOSED}.json"
    (tmp_path / "verify_proof.py").write_bytes(VERIFY.read_bytes())
    head = str(toy.open().journal.head())
    command = [sys.executable, "-I", "-S", "verify_proof.py", "proof.json", str(certificate)]
    command += ["--head", head]

    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, "")
    (price,) = toy.read(f"SELECT (price * 100)::INT FROM {TICKETS} WHERE number = {number}")[0]
    assert f"{price} minor units of 'EUR'" in answer.stdout
    assert json.loads(proof.read_text())["seal"] in answer.stdout
    assert "the one in the proof, byte for byte" in answer.stdout
    assert f"unbroken from there to the head that you gave, {head}" in answer.stdout


def leaf_of(row: Sequence[Any]) -> bytes:
    """A leaf's text, from the spine's four columns and those of the contract."""
    line = json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
    return leaf_text(*row[:4], sha256(line))


def test_the_sealed_root_is_that_of_the_gold_rows(toy: Toy, proof: dict[str, Any]) -> None:
    columns = "_record_id, _record_key, (price * 100)::BIGINT, currency"
    columns += ", number, booth, price::TEXT, currency, sold_at::TEXT"
    gold_rows = f"gold.fct_toy_tickets WHERE _book_date = '{CLOSED}'"
    rows = toy.read(f"SELECT {columns} FROM {gold_rows} ORDER BY 1")
    (gold,) = [
        hop for hop in json.loads(proof["certificate"])["hops"] if hop["hop"] == "silver → gold"
    ]
    assert gold["content"] == ["number", "booth", "price", "currency", "sold_at"]
    assert gold["root"] == root([leaf_hash(leaf_of(row)) for row in rows]).hex()
    assert (gold["tree_size"], proof["hop"]) == (38, "silver → gold")


def test_what_can_not_be_proved_is_told_in_a_sentence(toy: Toy, proof: dict[str, Any]) -> None:
    rejected = json.loads(toy.command("quarantine", "list", "--domain", "toy", "--json").stdout)
    corrected = CLOSED.toordinal() * 100 + 3
    for wanted, error, sentence in (
        (ticket_of(toy, OPEN), CertificateError, f"{OPEN} is not closed"),
        (ticket_of(toy, REOPENED), CertificateError, "was reopened (restated once more)"),
        (rejected[0]["record_id"], UsageError, f"rejected it on {CLOSED}"),
        (rejected[0]["record_key"], UsageError, "stands in quarantine"),
        (corrected, UsageError, "several records or versions of one"),
        ("nobody", UsageError, "No record 'nobody' is known"),
    ):
        answer = toy.command("prove", "toy", wanted)
        assert isinstance(answer.exception, error), (wanted, answer.exception)
        assert sentence in str(answer.exception)
    nowhere = toy.command("prove", "toy", proof["record"]["record_id"], "--out", toy.home)
    assert "can't be written: Is a directory" in str(nowhere.exception)


# --- what is refused ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verify() -> ModuleType:
    return loaded("verify_proof.py")


@pytest.fixture
def verified(
    verify: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """What the program says of a proof, and what it ends with."""

    def run(proof: Any, *arguments: str) -> tuple[int, str]:
        file = tmp_path / "proof.json"
        content = proof if isinstance(proof, bytes) else json.dumps(proof).encode()
        file.write_bytes(content)
        monkeypatch.setattr("sys.argv", ["verify_proof.py", str(file), *arguments])
        code = verify.main()
        said = capsys.readouterr()
        assert bool(said.out) == (code == 0)
        assert said.err.count("\n") == (code != 0)
        return code, said.out + said.err

    return run


def test_a_changed_byte_anywhere_is_refused(proof: dict[str, Any], verified: Any) -> None:
    whole = json.dumps(proof, ensure_ascii=False).encode()
    (head,) = re.findall("goes up to ([0-9]+:[0-9a-f]{64})", verified(whole)[1])
    assert verified(whole, "--head", head)[0] == 0
    begin = whole.index(b'"certificate"')
    for at in (*range(begin), *range(begin, len(whole), 11)):  # for time's sake
        code, said = verified(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], "--head", head)
        assert code in (1, 2), (at, said)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("record.record_id", "0" * 32, "do not lead to the root"),
        ("record.record_key", "", "do not lead to the root"),
        ("record.amount_minor", 1, "do not lead to the root"),
        ("record.currency", "USD", "do not lead to the root"),
        ("record.content", "00", "do not lead to the root"),
        ("index", 38, "has no leaf 38"),
        ("index", -1, "has no leaf -1"),
        ("tree_size", 39, "not the one in the certificate"),
        ("path", [], "too short"),
        ("path", ["0" * 64] * 9, "too long"),
        ("path", ["0" * 63], "Step 1 of the path"),
        ("path", [1], "Step 1 of the path"),
        ("hop", "bronze → gold", "does not hold the hop"),
        ("domain", "bnpl", "another domain"),
        ("book_date", "2024-01-03", "another book_date"),
        ("seal", "0" * 64, "does not match the seal"),
        ("certificate", "{}", "does not match the seal"),
    ],
)
def test_the_first_thing_that_does_not_hold_is_named(
    proof: dict[str, Any], verified: Any, name: str, value: Any, sentence: str
) -> None:
    code, said = verified(changed(proof, name, value))
    assert (code, sentence in said) == (1, True), said


def test_another_certificate_is_refused(
    proof: dict[str, Any], verified: Any, tmp_path: Path
) -> None:
    forged = sealed_anew(proof, previous="0" * 64)
    mine = tmp_path / "certificate.json"
    mine.write_text(proof["certificate"], encoding="utf-8")
    assert verified(forged)[0] == 0  # by itself it holds, and so it says what it can't know
    assert "can't know whether the certificate is the owner's" in verified(forged)[1]
    assert verified(forged, str(mine)) == (
        1,
        "Refused: The certificate in the proof is not the one that you gave.\n",
    )
    hops = json.loads(proof["certificate"])["hops"]
    for other, sentence in (
        ({"hops": hops + hops}, "does not hold the hop"),
        ({"hops": [{**hop, "tree_size": 37} for hop in hops]}, "number of records"),
        ({"hops": [{"hop": "silver → gold"}]}, "not one of a closed day with a root"),
        ({"hops": 1}, "not one of a closed day with a root"),
    ):
        code, said = verified(sealed_anew(proof, **other))
        assert (code, sentence in said) == (1, True), said
    spaced = json.dumps(json.loads(proof["certificate"]), ensure_ascii=False, sort_keys=True)
    said = verified({**proof, "certificate": spaced, "seal": sha256(spaced)})[1]
    assert "not written in the one form" in said


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"version": 1}',
        b"[" * 100_000,
        b"1" * 5_000,
        {"version": 2},
        {"version": True},
        {"index": 1.0},
        {"record": None},
        {"record": {"record_id": "x"}},
        {"domain": "\ud800"},
        {"journal": []},
        {"journal": {"length": 1}},
        {"more": 1},
    ],
)
def test_what_is_no_proof_is_told_in_a_sentence(
    proof: dict[str, Any], verified: Any, malformed: Any
) -> None:
    code, said = verified(malformed if isinstance(malformed, bytes) else {**proof, **malformed})
    assert (code, said.startswith("Malformed: ")) == (2, True), said


def test_files_and_heads_that_are_none_are_told_in_a_sentence(
    proof: dict[str, Any], verified: Any, tmp_path: Path
) -> None:
    heads = ("1:ab", "0:" + "a" * 64, "")
    for arguments in (["nowhere.json"], [str(tmp_path)], *(["--head", head] for head in heads)):
        assert verified(proof, *arguments)[0] == 2
    twice = json.dumps(proof).replace('"index":', '"index": 1, "index":').encode()
    assert verified(twice)[0] == 2


# --- the place in the journal -------------------------------------------------------------------


def test_the_place_in_the_journal_is_followed_to_a_head(
    proof: dict[str, Any], verified: Any
) -> None:
    there = entered(proof)
    last = digest(there["journal"]["hash"], *there["journal"]["links"][0].values())
    code, said = verified(there)
    assert (code, f"the proof goes up to 3:{last}" in said) == (0, True)
    code, said = verified(there, "--head", f"3:{last}")
    assert (code, "unbroken from there to the head" in said) == (0, True)
    place = there["journal"]["hash"]
    assert verified(entered(proof, links=[]), "--head", f"2:{place}")[0] == 0
    for head in (f"2:{last}", f"3:{place}", f"4:{last}"):
        assert verified(there, "--head", head)[0] == 1
    nowhere = {**proof, "journal": None}
    assert "no place in the journal" in verified(nowhere, "--head", f"3:{last}")[1]
    assert "no place in the journal" in verified(nowhere)[1]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"length": 1}, "does not stand where"),
        ({"length": 0}, "does not stand where"),
        ({"prev": "0" * 64}, "does not stand where"),
        ({"prev": "2" * 64}, "does not have its hash"),
        ({"kind": "reopening"}, "does not have its hash"),
        ({"body": "[]"}, "does not have its hash"),
        ({"hash": "0" * 64}, "does not have its hash"),
    ],
)
def test_another_place_in_the_journal_is_refused(
    proof: dict[str, Any], verified: Any, other: dict[str, Any], sentence: str
) -> None:
    code, said = verified(entered(proof, **other))
    assert (code, sentence in said) == (1, True), said


def test_an_entry_of_something_else_is_refused(proof: dict[str, Any], verified: Any) -> None:
    own = entered(proof)["journal"]["body"]
    other = '{"books_certificate":{"seal":["other"]}}'
    for kind, body in (("certificate", other), ("certificate", "x"), ("audit", own)):
        entry = {"prev": "1" * 64, "kind": kind, "body": body}
        code, said = verified(entered(proof, **entry, hash=entry_hash(**entry)))
        assert (code, "not that of the certificate" in said) == (1, True), said


# --- certificates that others laid hands on -----------------------------------------------------
# These change the toy, each puts it right again.


def certificate_files(toy: Toy) -> dict[str, bytes]:
    folder = toy.home / "certificates" / "toy"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.json"))}


def test_an_edited_certificate_is_neither_written_out_nor_built_upon(toy: Toy) -> None:
    before = certificate_files(toy)
    path = toy.home / "certificates" / "toy" / f"{CLOSED}.json"
    with toy.open().certificates.engine.begin() as connection:
        row = certificate_table.c.book_date == CLOSED
        good = connection.execute(sa.select(certificate_table.c.body).where(row)).scalar_one()
        edited = sa.update(certificate_table).where(row).values(body=good.replace("3", "4", 1))
        connection.execute(edited)
    try:
        for is_there in (True, False):
            if not is_there:
                path.unlink()
            for day in (CLOSED, REOPENED):
                answer = toy.command("close", "toy", "--date", day)
                assert "the books were edited (books_certificate 1" in str(answer.exception)
                assert path.exists() == is_there
        answer = toy.command("prove", "toy", ticket_of(toy, CLOSED))
        assert "does not match its seal" in str(answer.exception)
        assert REOPENED not in toy.open().certificates.closed("toy")
    finally:
        with toy.open().certificates.engine.begin() as connection:
            connection.execute(sa.update(certificate_table).where(row).values(body=good))

    assert toy.command("close", "toy", "--date", CLOSED).exit_code == 0

    assert certificate_files(toy) == before


@pytest.mark.parametrize("text", [b"\xff", b"{}"])
def test_an_edited_file_is_not_overwritten(toy: Toy, text: bytes) -> None:
    path = toy.home / "certificates" / "toy" / f"{CLOSED}.json"
    good = path.read_bytes()
    path.write_bytes(text)

    answer = toy.command("close", "toy", "--date", CLOSED)

    assert "one of the two was edited" in str(answer.exception)
    assert path.read_bytes() == text
    path.write_bytes(good)


def test_a_reopening_that_was_cut_short_is_finished_by_the_same_command(toy: Toy) -> None:
    before = certificate_files(toy)
    run = toy.open()
    seal = run.certificates.closed("toy")[CLOSED].seal
    run.certificates.reopen("toy", CLOSED, "killed", "r1")  # and no file was moved

    answer = toy.command("reopen", "toy", "--date", CLOSED, "--reason", "again", "--json")

    assert answer.exit_code == 0, answer.exception
    assert json.loads(answer.stdout) == [{"book_date": str(CLOSED), "seal": seal}]
    moved = f"reopened/{CLOSED}-{seal[:12]}.json"
    kept = certificate_files(toy)
    assert kept == {moved: before[f"{CLOSED}.json"]} | {n: before[n] for n in kept if n != moved}
    assert f"{CLOSED}.json" not in kept
    assert [why for _, why in run.certificates.reopened("toy")][-1] == "killed"
    assert "is not closed" in str(reopen(toy, CLOSED, "a third time"))

    # Closed and reopened with the same seal: the copies are one file, and all reasons stay.
    assert toy.command("close", "toy", "--date", CLOSED).exit_code == 0
    assert certificate_files(toy) == {**before, moved: before[f"{CLOSED}.json"]}
    assert reopen(toy, CLOSED, "once more") is None
    reasons = [why for c, why in run.certificates.reopened("toy") if c.seal == seal]
    assert reasons == ["killed", "once more"]
    assert toy.command("close", "toy", "--date", CLOSED).exit_code == 0
    assert certificate_files(toy) == {**before, moved: before[f"{CLOSED}.json"]}


def test_rows_that_are_not_those_that_were_sealed_prove_nothing(
    toy: Toy, proof: dict[str, Any]
) -> None:
    tamper(toy.open(), "change", 8)  # some of them of this day
    number = ticket_of(toy, CLOSED)
    answer = toy.command("prove", "toy", number)
    assert "no longer holds the records that were sealed" in str(answer.exception)
