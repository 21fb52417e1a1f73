"""What the documentation points at is there, and all of it is found from docs/README.md."""

import re
from pathlib import Path

_PROJECT = Path(__file__).parents[2]
_DOCS = _PROJECT / "docs"
_PAGES = [_PROJECT / "README.md", *_DOCS.rglob("*.md"), *(_PROJECT / "deploy").rglob("*.md")]
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")


def _prose(page: Path) -> str:
    return _CODE.sub("", page.read_text())


def _anchors(page: Path) -> set[str]:
    """As GitHub names the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_to_a_page_and_a_heading() -> None:
    links = [(page, *link) for page in _PAGES for link in _LINK.findall(_prose(page))]
    assert len(links) > 100
    for page, path, anchor in links:
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), (page.name, path)
        assert not anchor or anchor in _anchors(target), (page.name, path, anchor)


def test_every_page_is_listed() -> None:
    index = (_DOCS / "README.md").read_text()
    pages = [p for part in ("guides", "runbooks", "decisions") for p in (_DOCS / part).glob("*.md")]
    assert [p.name for p in pages if f"({p.relative_to(_DOCS)})" not in index] == []
