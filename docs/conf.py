"""The documentation site: ``sphinx-build -W --keep-going docs build/site``.

Nothing here needs a network, and no page of the site asks for one.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]

import gallery
import notebooks
import reference

import tinygrad_rnn

project = "tinygrad_rnn"
author = "The tinygrad_rnn authors"
copyright = f"{author}, MIT licence"
release = version = tinygrad_rnn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_site"]
suppress_warnings = ["config.cache"]  # the gallery's settings hold functions

# -- pages ----------------------------------------------------------------------------------------

myst_heading_anchors = 4  # as GitHub makes them: links work there and here
myst_links_external_new_tab = False

# -- reference ------------------------------------------------------------------------------------

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 90

# -- examples -------------------------------------------------------------------------------------

sphinx_gallery_conf = gallery.settings(HERE)

# -- looks ----------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "tinygrad_rnn"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
templates_path = ["_site/templates"]
html_sidebars = {"**": ["whole-tree.html"]}
html_show_sourcelink = False
html_copy_source = False
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    "navbar_center": [],
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_nav_level": 1,
    "navigation_depth": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app) -> None:
    """Write what is made of the package before the pages are read."""
    reference.write(HERE / "api")
    app.connect(
        "autodoc-process-docstring",
        lambda app, what, name, obj, options, lines: reference.plain(lines),
        priority=900,  # when numpydoc has done its part
    )
    app.connect("html-page-context", _styles_of_the_page)
    app.connect("builder-inited", _run_notebooks, priority=900)  # when the gallery is there


def _run_notebooks(app) -> None:
    """The lessons' notebooks are downloaded with what they print and draw."""
    examples = Path(sphinx_gallery_conf["examples_dirs"][0])
    notebooks.execute_all(HERE / "gallery", examples, sphinx_gallery_conf["reset_argv"].small)


def _styles_of_the_page(app, pagename: str, *rest) -> None:
    """The cheat sheet has a way of its own of being printed."""
    if pagename == "cheat_sheet":
        app.add_css_file("cheat_sheet.css")
