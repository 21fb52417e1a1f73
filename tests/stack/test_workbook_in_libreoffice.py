"""The workbook's formulas, calculated by LibreOffice, come to the ledger's figures to the cent."""

import shutil
import subprocess
from pathlib import Path

import pytest
from gl_ledger import pack_over, small_journal
from workbooks import Held, sheets, without_kept_values

from clearhouse.gl.reports.xlsx import xlsx

PROGRAM = shutil.which("soffice")
CENT = 0.005


@pytest.mark.skipif(PROGRAM is None, reason="LibreOffice (soffice) is not installed")
def test_formulas_calculated_anew_come_to_the_kept_figures(tmp_path: Path) -> None:
    kept = xlsx(pack_over(tmp_path / "published.duckdb", small_journal()))
    (tmp_path / "pack.xlsx").write_bytes(without_kept_values(kept))
    command = [
        str(PROGRAM), "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
        "--convert-to", "xlsx", "--outdir", str(tmp_path / "calculated"), "pack.xlsx",
    ]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    calculated = sheets((tmp_path / "calculated" / "pack.xlsx").read_bytes())
    formulas = 0
    for name, cells in sheets(kept).items():
        for place, cell in cells.items():
            if cell.formula:
                formulas += 1
                assert _same(cell, calculated[name][place]), (name, place, cell.formula)
    assert formulas > 300


def _same(kept: Held, calculated: Held) -> bool:
    if isinstance(kept.value, str):
        return kept.value == calculated.value
    return abs(kept.value - float(calculated.value or 0)) < CENT
