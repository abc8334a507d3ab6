"""The lessons' notebooks with what they print and draw, to be read where nothing is installed.

sphinx-gallery writes them without; here each is run, cell by cell, in a kernel of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import nbformat
from nbclient import NotebookClient

TOLD = """\
# Told as on a command line, so that it is soon done; without this cell it is the whole lesson.
import sys

__file__, *_ = sys.argv = {arguments}"""


def executed(notebook: Any, lesson: str, line: str, folder: Path) -> Any:
    """A lesson's notebook after it has run in a folder, told what a line of options says."""
    notebook = nbformat.v4.upgrade(notebook)  # to the format in which cells have ids
    if line:
        told = TOLD.format(arguments=[f"{lesson}.py", *line.split()])
        notebook.cells.insert(1, nbformat.v4.new_code_cell(told))  # below the title
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    client = NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(folder)}}, record_timing=False,
        coalesce_streams=True, extra_arguments=["--log-level=ERROR"],
    )  # fmt: skip
    client.log.setLevel("WARNING")
    return client.execute()


def execute_all(gallery: Path, examples: Path, small: dict[str, str]) -> None:
    """Run those that sphinx-gallery has written anew, and pack them again with what they read."""
    for path in sorted(gallery.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        if any(cell.get("outputs") for cell in notebook.cells):
            continue
        nbformat.write(executed(notebook, path.stem, small.get(path.stem, ""), examples), path)
        with ZipFile(path.with_suffix(".zip"), "w", ZIP_DEFLATED) as archive:
            for part in (path.with_suffix(".py"), path):
                archive.write(part, part.name)
            if "programs" in path.read_text(encoding="utf-8"):
                for program in sorted((examples / "programs").glob("*.py")):
                    archive.write(program, f"programs/{program.name}")
