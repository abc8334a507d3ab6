"""The lessons as a gallery: run with small settings, their printed output and pictures kept.

``LESSONS=whole sphinx-build …`` runs them as they are, which takes some minutes.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tinygrad_rnn.viz import schemes
from tinygrad_rnn.viz.drawing import Drawing

HEADER = """\
Lessons
=======

Each is a page of code that runs and draws, as it stands in ``examples/``; what it prints and draws
was made with this site{how}.
"""
WHOLE = os.environ.get("LESSONS") == "whole"


def settings(docs: Path) -> dict:
    """What sphinx-gallery is told."""
    # What lessons draw without a word about colours is on the site as light or dark as its page.
    schemes.THEMES["light"] = schemes.THEMES["auto"]
    return {
        "examples_dirs": [
            str(_copied(docs.parent / "examples", docs.parent / "build" / "examples"))
        ],
        "gallery_dirs": ["gallery"],
        "filename_pattern": r"\.py$",
        "ignore_pattern": r"__init__\.py",
        "within_subsection_order": "FileNameSortKey",
        "image_scrapers": (_pictures,),
        "reset_modules": (),
        "reset_argv": _Arguments(docs.parent / "examples" / "small.json"),
        "capture_repr": ("_repr_html_",),
        "ignore_repr_types": r"tinygrad_rnn\.viz",  # which the scraper takes
        "default_thumb_file": str(docs / "pictures" / "two_step_rnn.svg"),
        "download_all_examples": False,
        "show_signature": False,
        "show_memory": False,
        "min_reported_time": 3600,
        "notebook_images": False,
        "remove_config_comments": True,
        "plot_gallery": True,
        "write_computation_times": False,
        "abort_on_example_error": True,
    }


def _copied(examples: Path, workshop: Path) -> Path:
    """Examples write into the folder they run in: let it be one of their own."""
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(parents=True)
    for file in sorted(examples.iterdir()):
        if file.is_dir() and not file.name.startswith(("_", ".")):
            shutil.copytree(file, workshop / file.name)
        elif file.suffix == ".py":
            shutil.copy(file, workshop)
    how = "" if WHOLE else ", with few steps of training"
    (workshop / "GALLERY_HEADER.rst").write_text(HEADER.format(how=how), encoding="utf-8")
    return workshop


class _Arguments:
    """What each lesson is told on its command line."""

    def __init__(self, small: Path) -> None:
        self.small = {} if WHOLE else json.loads(small.read_text(encoding="utf-8"))

    def __repr__(self) -> str:  # one that changes would have everything built anew
        return f"{type(self).__name__}({self.small})"

    def __call__(self, gallery_conf: dict, script_vars: dict) -> list[str]:
        return self.small.get(Path(script_vars["src_file"]).stem, "").split()


def _pictures(block: tuple, block_vars: dict, gallery_conf: dict) -> str:
    """The SVG files that a block has written; or else the picture that its last line shows."""
    from sphinx_gallery.scrapers import figure_rst

    made = sorted(Path(block_vars["src_file"]).parent.glob("*.svg"))
    last = block_vars["example_globals"].get("___")
    if not made and isinstance(last, Drawing):
        made = [last.save(Path(block_vars["src_file"]).with_suffix(".svg"))]
    shown = []
    for picture in made:
        target = Path(next(block_vars["image_path_iterator"])).with_suffix(".svg")
        shutil.move(picture, target)
        shown.append(str(target))
    return figure_rst(shown, gallery_conf["src_dir"])
