"""Make the fonts that pictures have as PNG and PDF, out of larger ones.

    python docs/make_fonts.py FOLDER

needs fonttools, and in the folder, or below it, the fonts Arimo, Noto Sans Math, Noto Sans CJK and
DejaVu Sans Mono.  The signs of formulas are put among the letters, and so are the Chinese
characters that pictures have words of: where a font lacks one, the whole line may be set in another
font, that has it, instead of the sign alone.  Chinese is neither slanted nor monospaced (see
``marks.text``), so two of the fonts do without.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

from tinygrad_rnn.viz.chinese import LAYERS, PATTERNS, PHRASES

FONTS = Path(__file__).parents[1] / "tinygrad_rnn" / "viz" / "fonts"
LETTERS = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F)]  # Latin, Greek, Cyrillic
SIGNS = [
    (0x2B0, 0x304), (0x1D2C, 0x1D6A), (0x2010, 0x2027), (0x2030, 0x2037), (0x2070, 0x209C),
    (0x2150, 0x215F), (0x2190, 0x21D5), (0x2200, 0x22FF), (0x2308, 0x230B), (0x25A0, 0x25CF),
    (0x27E6, 0x27EB),
]  # fmt: skip
PUNCTUATION, NUMERALS = "、。，．：；！？（）《》〈〉【】％～", "零一二三四五六七八九十百千万两"
HAN = 0x2E80  # from where on characters are Chinese
SIMPLIFIED = "Noto Sans CJK SC"


def main(folder: Path) -> None:
    """Write the fonts."""
    paths = folder.rglob("*.ttf")
    found = {path.stem: TTFont(path, recalcTimestamp=False) for path in paths}
    for style in ("Regular", "Bold", "Italic"):
        font = found[f"Arimo-{style}"]
        add_signs(font, found["NotoSansMath-Regular"], characters(SIGNS))
        for path in folder.rglob(f"NotoSansCJK-{style}.ttc"):
            add_signs(font, simplified(path), chinese())
        rename(font, "BPTT Sans", style)
        write(font, f"BPTTSans-{style}")
    font = found["DejaVuSansMono"]
    rename(font, "BPTT Mono", "Regular")
    write(font, "BPTTMono-Regular")


def characters(ranges: list[tuple[int, int]]) -> set[int]:
    """Those in ranges, each given by its first and its last one."""
    return {c for first, last in ranges for c in range(first, last + 1)}


def chinese() -> set[int]:
    """The Chinese characters of pictures, and what titles of one's own often have."""
    words = [*PHRASES.values(), *(said for _, said in LAYERS + PATTERNS), PUNCTUATION, NUMERALS]
    return {ord(c) for c in "".join(words) if ord(c) >= HAN}


def simplified(path: Path) -> TTFont:
    """The font of a collection whose characters look as in China."""
    fonts = TTCollection(str(path), lazy=True).fonts
    return next(font for font in fonts if font["name"].getDebugName(1).startswith(SIMPLIFIED))


def add_signs(font: TTFont, other: TTFont, wanted: set[int]) -> None:
    """Draw the signs that a font lacks as the other one has them, in its own size."""
    theirs, outlines = other.getBestCmap(), other.getGlyphSet()
    scale = font["head"].unitsPerEm / other["head"].unitsPerEm
    for sign in sorted(wanted & theirs.keys() - font.getBestCmap().keys()):
        name, pen = f"uni{sign:04X}", TTGlyphPen(None)
        outline = outlines[theirs[sign]]
        outline.draw(TransformPen(Cu2QuPen(pen, 1.0), (scale, 0, 0, scale, 0, 0)))
        font.setGlyphOrder([*font.getGlyphOrder(), name])
        font["glyf"][name] = pen.glyph()
        font["hmtx"][name] = round(outline.width * scale), 0
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[sign] = name


def rename(font: TTFont, family: str, style: str) -> None:
    """Give a font that was changed a name of its own, which no font of the system's has."""
    full = family if style == "Regular" else f"{family} {style}"
    for number, name in {1: family, 3: full, 4: full, 6: full.replace(" ", "-")}.items():
        font["name"].setName(name, number, 3, 1, 0x409)
        font["name"].setName(name, number, 1, 0, 0)
    for number in (7, 16, 17):
        font["name"].removeNames(number)


def align(font: TTFont) -> None:
    """Say of every outline where it begins: those who read PDF put it there."""
    outlines, metrics = font["glyf"], font["hmtx"]
    for name, (wide, _) in list(metrics.metrics.items()):
        outlines[name].recalcBounds(outlines)
        metrics[name] = wide, getattr(outlines[name], "xMin", 0)


def write(font: TTFont, name: str) -> None:
    """Write the letters and signs of a font that pictures may need."""
    options = Options(hinting=False, layout_features=["kern"], recalc_timestamp=False)
    options.name_IDs, options.drop_tables = [0, 1, 2, 3, 4, 5, 6, 13, 14], ["FFTM", "meta"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters(LETTERS + SIGNS) | chinese())
    subsetter.subset(font)
    align(font)
    font.save(FONTS / f"{name}.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
