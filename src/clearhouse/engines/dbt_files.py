"""The dbt project of one domain: the common files, and the domain's own models and tests.

A domain is parsed and built without the others, and its models need not lie beside theirs. dbt does
not look into folders that are links, so each file is one.
"""

from collections.abc import Iterator
from pathlib import Path

_COMMON = (
    "dbt_project.yml",
    "profiles.yml",
    "macros",
    "tests/generic",
    "models/_metrics.yml",
    "models/_ops.yml",
)


def assembled(common: Path, models: Path, tests: Path, project: Path) -> Path:
    """A folder of links that make up a project; brought to what it should be.

    Args:
        common: folder of the files that all domains share.
        models: folder of the domain's models.
        tests: folder of its singular tests; it need not be there.
        project: the folder of links.
    """
    roots = {name: common / name for name in _COMMON}
    roots |= {f"models/{models.name}": models, f"tests/{models.name}": tests}
    wanted = {
        project / name / file.relative_to(root) if file != root else project / name: file
        for name, root in roots.items()
        for file in _files(root)
    }
    for link in [path for path in project.rglob("*") if path.is_symlink()]:
        if wanted.get(link) != link.readlink():
            link.unlink()
    for link, target in wanted.items():
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)  # a copy of the home may have files in place of links
            link.symlink_to(target)
    return project


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    else:
        yield from sorted(path for path in root.rglob("*") if path.is_file())
