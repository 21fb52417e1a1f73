"""Landing in an S3 store is landing in a folder, and a store that is not there is said to be so."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
import pytest
from cli_session import Answer, clearhouse
from retail_home import Shops, Urls, retailers, with_faults

from clearhouse.core.errors import ExitCode, ServerError
from clearhouse.core.window import Window
from clearhouse.landing import Landing
from clearhouse.pipeline.runner import Silent, run_steps
from clearhouse.pipeline.steps import STEPS
from stack.commands import Stack
from stack.test_servers import bucket

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(4)]
FAULTS = {DAYS[2]: ("late", "corrected"), DAYS[3]: ("redelivered", "duplicates")}
KEYS = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
WRONG = "a-secret-that-is-wrong"


@pytest.fixture(scope="module")
def urls() -> Iterator[Urls]:
    with retailers(with_faults(FAULTS)) as found:
        yield found


@dataclass
class OnS3:
    """A home whose landing and exports are in the stack's store, below a prefix."""

    shops: Shops
    stack: Stack
    prefix: str

    @property
    def variables(self) -> dict[str, str]:
        return {name: self.stack.settings[name] for name in KEYS} | {
            "LANDING_URL": f"s3://clearhouse/{self.prefix}/landing",
            "EXPORT_URL": f"s3://clearhouse/{self.prefix}/export",
        }

    def use(self, patch: pytest.MonkeyPatch) -> Shops:
        """The home, with its settings in the environment."""
        for name, text in self.variables.items():
            patch.setenv(name, text)
        return self.shops

    def typed(self, *command: str, **changed: str) -> Answer:
        """What `clearhouse` answers over it."""
        home = {"CLEARHOUSE_HOME": str(self.shops.home)}
        folder = self.shops.home.parent
        return clearhouse(folder, *command, **(self.variables | home | changed))


def state(shops: Shops) -> dict[str, Any]:
    """What readers find, and what the books say."""
    audited = shops.audit()
    assert audited.findings == ()
    entries = [(e.entry_id, e.status, e.totals, e.digests) for e in audited.entries]
    return {**shops.tables(), "books": entries}


@pytest.fixture(scope="module")
def in_a_folder(tmp_path_factory: pytest.TempPathFactory, urls: Urls) -> dict[str, Any]:
    """What a run comes to that lands and exports in folders."""
    folder = tmp_path_factory.mktemp("folder")
    shops = Shops(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORT_URL", (folder / "export").as_uri())
        assert shops.run(urls, DAYS[0], DAYS[-1]).exit_code is ExitCode.DONE
        return state(shops)


class Killing(Silent):
    """Kills the store once, when a step has begun, or as soon as a day of it is done."""

    def __init__(self, stack: Stack, step: str, *, at_once: bool) -> None:
        self._stack, self._step, self._at_once = stack, step, at_once
        self._is_under_way = self._is_done = False

    def begin(self, step: str, days: int) -> None:
        self._is_under_way = step == self._step
        if self._at_once:
            self.advance()

    def advance(self, days: int = 1) -> None:
        if self._is_under_way and not self._is_done:
            self._is_done = True
            self._stack.kill("s3")


@pytest.fixture(scope="module")
def on_s3(tmp_path_factory: pytest.TempPathFactory, stack: Stack, urls: Urls) -> OnS3:
    """A home that was run to its end after the store had been killed in two of its runs."""
    mine = OnS3(Shops(tmp_path_factory.mktemp("s3") / "home"), stack, "killed")
    with pytest.MonkeyPatch.context() as patch:
        shops = mine.use(patch)
        for step, at_once in ((STEPS[0].name, False), (STEPS[1].name, True)):
            run = shops.open(urls)
            run.progress = Killing(stack, step, at_once=at_once)
            window = Window(DAYS[0], DAYS[-1])
            try:
                with pytest.raises(ServerError, match="it can't be reached") as caught:
                    run_steps(STEPS, run, window, run_id=run.run_id, progress=run.progress)
            finally:
                run.engine.close()
                stack.up()
            assert caught.value.code == "landing_unavailable"
        assert shops.run(urls, DAYS[0], DAYS[-1]).exit_code is ExitCode.DONE
    return mine


def test_after_a_store_was_killed_a_plain_run_comes_to_what_an_undisturbed_one_does(
    on_s3: OnS3, in_a_folder: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = state(on_s3.use(monkeypatch))
    assert found.keys() == in_a_folder.keys()
    for name, rows in in_a_folder.items():
        assert found[name] == rows, name


def test_an_object_that_was_overwritten_is_found(on_s3: OnS3) -> None:
    store = bucket(on_s3.stack.settings | {"LANDING_URL": on_s3.variables["LANDING_URL"]})
    listed = obstore.list(store, "raw/retailer_2").collect()
    key = next(m["path"] for m in listed if m["path"].endswith(".zst") and "day=03" in m["path"])
    whole = bytes(obstore.get(store, key).bytes())

    obstore.put(store, key, whole[:-1] + b"!")
    books = on_s3.typed("books", "--domain", "retail")
    verified = on_s3.typed("verify", "retail", "--from", f"{DAYS[2]}", "--to", f"{DAYS[2]}")
    obstore.put(store, key, whole)

    assert (books.returncode, verified.returncode) == (4, 4)
    assert key in books.stdout.replace("\n", "")
    assert key in verified.stdout.replace("\n", "")
    assert on_s3.typed("books", "--domain", "retail").returncode == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"AWS_SECRET_ACCESS_KEY": WRONG}, "the secret key is wrong"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "the access key is not known there"),
        ({"LANDING_URL": "s3://no-such-bucket/landing"}, "the bucket does not exist"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "it can't be reached"),
    ],
    ids=["secret", "key", "bucket", "endpoint"],
)
def test_a_store_that_can_not_be_used_is_told_in_one_sentence(
    on_s3: OnS3, changed: dict[str, str], told: str
) -> None:
    secrets = {WRONG, on_s3.variables["AWS_SECRET_ACCESS_KEY"]}
    for command in (
        ("run", "retail", "--from", f"{DAYS[0]}", "--to", f"{DAYS[0]}"),
        ("books", "--domain", "retail"),
        ("rebuild", "retail"),
        ("doctor",),
    ):
        answer = on_s3.typed(*command, **changed)
        said = answer.stdout + answer.stderr
        assert answer.returncode == 1, (command, said)
        assert told in " ".join(said.split())
        assert "Traceback" not in said
        assert not any(secret in said for secret in secrets)


def test_where_nothing_can_be_exported_doctor_and_a_run_say_so(on_s3: OnS3) -> None:
    changed = {"EXPORT_URL": "s3://no-such-bucket/export"}
    day = f"{DAYS[1]}"
    for command in (("doctor",), ("step", "retail", STEPS[1].name, "--date", day)):
        answer = on_s3.typed(*command, **changed)
        said = " ".join((answer.stdout + answer.stderr).split())
        assert (answer.returncode, "the bucket does not exist" in said) == (1, True), said
        assert "see to EXPORT_URL" in said


def test_credentials_are_found_in_a_profile(
    on_s3: OnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = on_s3.variables
    shared = tmp_path / "credentials"
    shared.write_text(
        f"[bank]\naws_access_key_id = {given.pop('AWS_ACCESS_KEY_ID')}\n"
        f"aws_secret_access_key = {given.pop('AWS_SECRET_ACCESS_KEY')}\n"
    )
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    given |= {"AWS_SHARED_CREDENTIALS_FILE": str(shared), "AWS_PROFILE": "bank"}
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert Landing.from_url(given["LANDING_URL"]).landed_days("retailer_1") == DAYS
