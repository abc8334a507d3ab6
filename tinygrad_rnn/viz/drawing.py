"""What pictures and charts have in common: they are saved, and notebooks show them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinygrad_rnn import files
from tinygrad_rnn.viz.images import FORMS, Size, image, sized
from tinygrad_rnn.viz.notebook import in_a_cell
from tinygrad_rnn.viz.player.page import still
from tinygrad_rnn.viz.schemes import on_paper
from tinygrad_rnn.viz.tikz import tikz


class Drawing:
    """Something drawn.  Notebooks show it; `save` writes it to a file.

    Attributes
    ----------
    title : str
    svg : str
        As SVG text.
    language : str
        Of its words: "en", or another that `draw` knows.
    """

    title: str
    svg: str
    language: str = "en"

    def save(
        self, path: str | Path, *, size: Size = None, scale: float = 1.0, dpi: float | None = None
    ) -> Path:
        """Write it to a file whose suffix says in which format; returns its path.

        ``.svg`` and ``.html`` (a page to pan and zoom in) need nothing else, nor does ``.dot`` of a
        graph.  ``.tex`` is TikZ, in the fonts of the document that inputs it, and a document of its
        own, too.  ``.png`` and ``.pdf`` look like the SVG, have their own fonts, and need the extra
        ``images``: ``pip install 'tinygrad_rnn[images]'``.  These fonts have the letters of Latin,
        Greek and Cyrillic, and the Chinese characters of ``language="zh"``; what else stands in
        names and titles is set in a font of this machine's; it is left blank, with a warning, if
        there is none.

        Parameters
        ----------
        path
            Where to.
        size : {"slide", "column"} or float, optional
            Of ``.svg``, ``.tex``, ``.png`` and ``.pdf``. "slide": 13⅓ by 7½ inches, which is
            16:9, with the drawing in the middle, as large as it can, not of ``.tex``; "column": as
            wide as a column of a paper, 3¼ inches; a number: so wide, in points, 72 of which are an
            inch. As it is otherwise, but in a LaTeX document no wider than a line.
        scale
            How many times larger than that.
        dpi
            Of a ``.png`` the pixels per inch: 144, or, since it is to be printed, 300 of one whose
            width is given.

        Raises
        ------
        ValueError
            For any other suffix; for an option that a format does not have, or a value that makes
            no picture.
        TypeError
            For a size, scale or dpi that is no number.
        RuntimeError
            If a PNG or a PDF is asked for and the extra is not installed.
        """
        path = Path(path)
        form = path.suffix.lower()
        writers = self._writers()
        known = (".svg", *writers, ".tex", *FORMS)
        if form not in known:
            *others, last = known
            raise ValueError(
                f"cannot save a picture as {path.suffix or 'a file without a suffix'}: "
                f"use {', '.join(others)} or {last}"
            )
        if dpi is not None and form != ".png":
            raise ValueError(f"dpi={dpi!r} is for .png; a {form} has no pixels")
        if form in writers:
            if size is not None or scale != 1:
                raise ValueError(
                    f"size and scale are for .svg, .tex, .png and .pdf, not for {form}"
                )
            files.write(path, writers[form]())
        elif form == ".svg":
            files.write(path, sized(self.svg, size, scale))
        elif form == ".tex":
            files.write(path, tikz(on_paper(self.svg), self.title, size, scale))
        else:
            files.write(path, image(on_paper(self.svg), form, size, scale, dpi))
        return path

    def _writers(self) -> dict[str, Callable[[], str]]:
        """How the formats are written, by suffix, that are more than an image."""
        return {".html": lambda: still(self.svg, self.title, language=self.language)}

    def _repr_html_(self) -> str:
        """What a notebook shows: as wide as the cell, and whole when it is clicked."""
        return in_a_cell(self.svg, self.title, self.language)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook may choose from."""
        return {
            "image/svg+xml": self.svg,
            "text/html": self._repr_html_(),
            "text/plain": repr(self),
        }
