"""The notebooks run from the first cell to the last, and are kept without what they showed."""

from pathlib import Path

import nbformat
import pytest
from gl_ledger import PERIODS, small_journal, write_marts
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[3] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module", params=["three periods", "the first period alone"])
def home(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder, journal = tmp_path_factory.mktemp("home"), small_journal()
    if "alone" in request.param:
        journal.rows = [row for row in journal.rows if row["fiscal_period"] == PERIODS[0]]
    write_marts(folder / "published.duckdb", journal)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_clean(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARHOUSE_HOME", str(home))
    notebook = nbformat.read(FOLDER / name, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count] == []
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert any(cell.outputs for cell in code)
