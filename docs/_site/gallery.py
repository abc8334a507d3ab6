"""The examples as a gallery: run with small settings, their printed output and pictures kept."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

HEADER = """\
Lessons
=======

Small programs, as they stand in ``examples/``: what they print and draw was made with this site,
with few steps of training.
"""

_worlds: list = []  # what `import torch` means in the example that runs now


def settings(docs: Path) -> dict:
    """What sphinx-gallery is told."""
    return {
        "examples_dirs": [
            str(_copied(docs.parent / "examples", docs.parent / "build" / "examples"))
        ],
        "gallery_dirs": ["gallery"],
        "filename_pattern": r"\.py$",
        "ignore_pattern": r"__init__\.py",
        "within_subsection_order": "FileNameSortKey",
        "image_scrapers": (_saved_pictures,),
        "reset_modules": (_reset,),
        "reset_modules_order": "both",
        "capture_repr": ("_repr_html_",),
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
            (workshop / file.name).write_text(_titled(file), encoding="utf-8")
        elif file.suffix in {".txt", ".csv"}:
            shutil.copy(file, workshop)
    (workshop / "GALLERY_HEADER.rst").write_text(HEADER, encoding="utf-8")
    return workshop


def _titled(example: Path) -> str:
    """Its text; one whose docstring has no title is titled by the name of its file."""
    text = example.read_text(encoding="utf-8")
    if re.match(r'(?s)[ru]?""".*?\n(=+|-+)\n', text):
        return text
    title = re.sub(r"^\d+_", "", example.stem).replace("_", " ").capitalize()
    return text.replace('"""', f'"""\n{title}\n{"=" * len(title)}\n\n', 1)


def _reset(gallery_conf: dict, fname: str, when: str) -> None:
    """Small settings; for a program that knows PyTorch alone, the world in which this is torch."""
    os.environ["TINYGRAD_RNN_SMALL"] = "1"
    if when == "after":
        while _worlds:
            _worlds.pop().__exit__(None, None, None)
    elif _is_written_for_torch(Path(gallery_conf["examples_dirs"][0], fname)):
        from tinygrad_rnn.compat.world import as_torch

        _worlds.append(as_torch())
        _worlds[-1].__enter__()


def _is_written_for_torch(example: Path) -> bool:
    text = example.read_text(encoding="utf-8")
    return "import torch" in text and "import tinygrad_rnn" not in text


def _saved_pictures(block: tuple, block_vars: dict, gallery_conf: dict) -> str:
    """The SVG files that a block has written, as its pictures."""
    from sphinx_gallery.scrapers import figure_rst

    shown = []
    for made in sorted(Path(block_vars["src_file"]).parent.glob("*.svg")):
        target = Path(next(block_vars["image_path_iterator"])).with_suffix(".svg")
        shutil.move(made, target)
        shown.append(str(target))
    return figure_rst(shown, gallery_conf["src_dir"])
