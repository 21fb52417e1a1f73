"""Workbooks as data: what the cells of a file hold, read from its XML without a spreadsheet."""

import io
import re
import zipfile
from typing import NamedTuple
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Held(NamedTuple):
    """What a cell holds: its formula, "" for none, and the value kept for it."""

    formula: str
    value: str | float


def sheets(content: bytes) -> dict[str, dict[str, Held]]:
    """Cells by place, by sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        texts = _texts(file)
        relations = ElementTree.fromstring(file.read("xl/_rels/workbook.xml.rels"))
        targets = {each.get("Id"): each.get("Target") or "" for each in relations}
        workbook = ElementTree.fromstring(file.read("xl/workbook.xml"))
        found = {}
        for sheet in workbook.iter(f"{_MAIN}sheet"):
            target = targets[sheet.get(_RELATION)].removeprefix("/xl/")
            found[sheet.get("name") or ""] = _cells(file.read(f"xl/{target}"), texts)
        return found


def _texts(file: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in file.namelist():
        return []
    shared = ElementTree.fromstring(file.read("xl/sharedStrings.xml"))
    return ["".join(t.text or "" for t in si.iter(f"{_MAIN}t")) for si in shared]


def _cells(xml: bytes, texts: list[str]) -> dict[str, Held]:
    found = {}
    for cell in ElementTree.fromstring(xml).iter(f"{_MAIN}c"):
        kept, formula = cell.find(f"{_MAIN}v"), cell.find(f"{_MAIN}f")
        text = "" if kept is None else kept.text or ""
        value: str | float = text
        if cell.get("t") == "s":
            value = texts[int(text)]
        elif text and cell.get("t") in (None, "n"):
            value = float(text)
        told = "" if formula is None else formula.text or ""
        found[cell.get("r") or ""] = Held(told, value)
    return found


def without_kept_values(content: bytes) -> bytes:
    """The workbook with its formulas alone: who shows figures has calculated them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as file, zipfile.ZipFile(out, "w") as copy:
        for name in file.namelist():
            held = file.read(name)
            if name.startswith("xl/worksheets/sheet"):
                held = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", held)
            copy.writestr(name, held)
    return out.getvalue()
