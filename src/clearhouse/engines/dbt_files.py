"""The dbt project of one domain: the common files, and the domain's own models and tests.

A domain is parsed and built without the others, and its models need not lie beside theirs.
"""

from pathlib import Path

_COMMON = ("dbt_project.yml", "profiles.yml", "macros", "tests/generic", "models/_ops.yml")


def assembled(common: Path, models: Path, tests: Path, project: Path) -> Path:
    """A folder of links that make up a project; made where it is not as it should be.

    Args:
        common: folder of the files that all domains share.
        models: folder of the domain's models.
        tests: folder of its singular tests; it need not be there.
        project: the folder to make.
    """
    wanted = {name: common / name for name in _COMMON}
    wanted[f"models/{models.name}"] = models
    if tests.is_dir():
        wanted[f"tests/{models.name}"] = tests
    for name, target in wanted.items():
        link = project / name
        if link.is_symlink() and link.readlink() == target:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return project
