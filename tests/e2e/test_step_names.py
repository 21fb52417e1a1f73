"""The names by which retail's users know its steps."""

import datetime as dt
import json
from pathlib import Path

from retail_home import Shops

from clearhouse.domains import DOMAINS, domain_of
from clearhouse.pipeline.steps import STEPS, steps_of

DAY = dt.date(2024, 1, 2)
NAMES = tuple(domain_of("retail").step_groups)


def test_the_names_of_a_domain_stand_for_all_steps_in_order() -> None:
    for domain in map(domain_of, DOMAINS):
        for dataset in domain.datasets:
            groups = domain.step_groups.values()
            daily = [group for group in groups if not group.follows]
            of_it = [g for g in daily if not g.datasets or dataset.name in g.datasets]
            named = [step for group in of_it for step in group.steps]
            assert named in ([], [step.name for step in steps_of(domain)])


def entries(shops: Shops) -> object:
    run = shops.open()
    found = [(e.key, e.status, e.totals, e.digests) for e in run.books.current(run.name)]
    run.engine.close()
    return found


def test_the_named_steps_one_by_one_come_to_what_a_run_comes_to(tmp_path: Path) -> None:
    stepped, whole = Shops(tmp_path / "stepped"), Shops(tmp_path / "whole")

    early = stepped.command("step", "retail", NAMES[1], "--date", DAY, "--json")
    assert early.exit_code == 1
    assert "validate_raw_schema has not been done" in early.stdout
    for name in NAMES:
        done = stepped.command("step", "retail", name, "--date", DAY, "--json")
        assert done.exit_code == 0, (name, done.exception, done.output)
        steps = list(json.loads(done.stdout)["steps"])
        assert steps == list(domain_of("retail").step_groups[name].steps)
    assert whole.command("run", "retail", "--from", DAY, "--to", DAY).exit_code == 0

    assert entries(stepped) == entries(whole)
    assert stepped.tables() == whole.tables()


def test_a_name_that_is_none_is_answered_with_those_that_are(tmp_path: Path) -> None:
    refused = Shops(tmp_path / "home").command("step", "retail", "ingest", "--date", DAY)
    assert all(name in str(refused.exception) for name in (*NAMES, STEPS[0].name))
    other = Shops(tmp_path / "home").command("step", "bnpl", NAMES[0], "--date", DAY)
    assert "There is no step 'ingest_retailers_to_s3'" in str(other.exception)
