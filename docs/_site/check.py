"""Check a built site: ``python docs/_site/check.py build/site``.

Every public name is in the reference, every link within the site leads somewhere, its anchor
included, nothing is fetched from elsewhere to show a page, and notebooks show what they print.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import reference

FETCHED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "object": "data"}
NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author", "copyright"}


class Page(HTMLParser):
    """What a page links to, what it fetches, and which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors = {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given.get("id", ""), given.get("name", "")}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif given.get("rel", "") not in NOT_FETCHED and FETCHED.get(tag, "") in given:
            self.fetched.append(given[FETCHED[tag]])


def missing_names(site: Path) -> Iterator[str]:
    """Public names that the site's inventory does not list."""
    raw = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    listed = {line.split(" ")[0] for line in zlib.decompress(raw).decode().splitlines()}
    for face in reference.FACES:
        for name in reference.names(face):
            if f"{reference.full(face)}.{name}" not in listed:
                yield f"not in the reference: {reference.full(face)}.{name}"


def faults_of_notebooks(site: Path) -> Iterator[str]:
    """Notebooks that are none, or that show nothing until they are run."""
    for path in sorted(site.rglob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        try:
            nbformat.validate(notebook)
        except nbformat.ValidationError as error:
            yield f"{path.name} is no notebook: {error.message}"
        if not any(cell.get("outputs") for cell in notebook["cells"]):
            yield f"{path.name} has no output"


def faults(site: Path) -> Iterator[str]:
    """Whatever is wrong with the site, a line each."""
    yield from missing_names(site)
    yield from faults_of_notebooks(site)
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = {path.resolve(): Page(path) for path in files}
    for path, page in pages.items():
        for address in page.links + page.fetched:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                if address in page.fetched and url.scheme != "data":
                    yield f"{path.name} fetches {address}"
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.exists():
                yield f"{path.name}: {address} leads nowhere"
            elif target in pages and unquote(url.fragment) not in pages[target].anchors:
                yield f"{path.name}: {address} has no such anchor"
    for sheet in sorted(site.rglob("*.css")):
        for address in re.findall(
            r"(?:url\(|@import )[\"']?(https?://[^\"')]+)", sheet.read_text("utf-8")
        ):
            yield f"{sheet.name} fetches {address}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    sys.exit("\n".join(found) if found else 0)
