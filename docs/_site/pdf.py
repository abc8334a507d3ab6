"""Print the cheat sheet of a built site: ``python docs/_site/pdf.py build/site``.

Chromium prints it, on one page, into ``cheat_sheet.pdf`` beside the site's pages.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def printed(site: Path) -> Path:
    """The PDF, which must be one page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("the cheat sheet is printed by Chromium: install it, or print the page yourself")
    sheet = site.resolve() / "cheat_sheet.pdf"
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        options += [f"--user-data-dir={profile}", f"--print-to-pdf={sheet}"]
        page = (site.resolve() / "cheat_sheet.html").as_uri()
        subprocess.run([browser, *options, page], check=True, capture_output=True, timeout=120)
    count = len(re.findall(rb"/Type\s*/Page\b", sheet.read_bytes()))
    if count != 1:
        sys.exit(f"{sheet}: the cheat sheet takes {count} pages, not one")
    return sheet


if __name__ == "__main__":
    print(printed(Path(sys.argv[1])))
