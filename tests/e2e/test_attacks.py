"""Everything that an adversary with the files did is found, and named, in every domain."""

import gc
from collections.abc import Iterator
from functools import cache

import pytest
from attacks import catalogue
from attacks.attack import ATTACKS, Attack, Judged, books, is_told, judge, said, verify
from attacks.homes import Home, make_home
from attacks.recipes import HELD, RECIPES, REGISTERED

from clearhouse.domains import DOMAINS

with REGISTERED:
    NAMES = list(DOMAINS)


def is_made(name: str, group: str) -> bool:
    """Whether a domain's home suffers the attacks of a group; one without a recipe can't say."""
    recipe = RECIPES.get(name)
    return recipe is None or not recipe.groups or group in recipe.groups


class Homes:
    """A home of each domain, made when it is first asked for, and what was found in it."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders
        self.found: dict[str, list[Judged]] = {}
        self.home = cache(self._made)
        self.judged = cache(lambda name, group: judge(self.home(name), group))

    def _made(self, name: str) -> Home:
        home = make_home(name, self.folders.mktemp(name))
        self.found[name] = [said(home, command(home)) for command in (books, verify)]
        home.keep()
        gc.collect()
        gc.freeze()  # each command collects what earlier ones left open, and not all of dbt
        return home


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    yield Homes(tmp_path_factory)
    gc.unfreeze()


@pytest.mark.parametrize("name", NAMES)
def test_a_home_that_nobody_attacked_holds(homes: Homes, name: str) -> None:
    homes.home(name)
    assert [(found.exit_code, found.lines) for found in homes.found[name]] == [(3, []), (0, [])]


@pytest.mark.parametrize("name", NAMES)
def test_held_and_hidden_money_are_figures_of_the_balance(homes: Homes, name: str) -> None:
    home: Home = homes.home(name)
    readers = [e for e in homes.found[name][0].entries if e["hop"] == home.at.names.readers]
    totals = {entry["book_date"]: entry["totals"] for entry in readers}
    held = totals[str(HELD)]
    assert held["in"] == held["held"]
    assert (held["in"]["records"] > 30, held["out"]["records"]) == (True, 0)
    to_readers = {home.hops(each).readers for each in home.domain.datasets}
    all_totals = [e["totals"] for e in homes.found[name][0].entries if e["hop"] in to_readers]
    assert sum(of[side]["records"] for of in all_totals for side in ("duplicate", "superseded"))


@pytest.mark.parametrize(
    ("name", "attack"),
    [pytest.param(n, a, id=f"{n}-{a.name}") for n in NAMES for a in ATTACKS if is_made(n, a.group)],
)
def test_an_attack_is_named(homes: Homes, name: str, attack: Attack) -> None:
    found: Judged = homes.judged(name, attack.group)
    if attack.name in found.skipped:
        pytest.skip(found.skipped[attack.name])
    told = found.told[attack.name]
    assert told
    missing = [texts for texts in told if not is_told(found.lines, texts)]
    assert not missing, found.lines
    assert found.exit_code == catalogue.EXIT_CODES.get(attack.group, 4)


@pytest.mark.parametrize("name", NAMES)
def test_an_attacked_home_is_put_back_byte_by_byte(homes: Homes, name: str) -> None:
    """So each group of attacks was judged on a home that held before them."""
    home: Home = homes.home(name)
    assert home.is_as_made()


def test_a_domain_that_is_spared_some_attacks_names_groups_that_there_are() -> None:
    groups = {attack.group for attack in ATTACKS}
    assert all(groups >= set(recipe.groups) for recipe in RECIPES.values())
    assert [name for name, recipe in RECIPES.items() if not recipe.groups] == ["toy"]


def test_there_are_many_kinds_and_each_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names)) >= 60
