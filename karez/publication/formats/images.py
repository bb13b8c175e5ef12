"""The chapter's pictures for paper: the same SVG in a font that is there, and as PNG where a format takes no SVG. Draws
nothing itself.
"""

from html import unescape

import typst

from karez.publication.formats.pdf import fonts, require_glyphs

DOTS_PER_INCH = 200
_WIDE = "16cm"
_PAGE = (
    f'#set page(width: {_WIDE}, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg", width: 100%)'
).encode()


def png(svg: str) -> bytes:
    """A picture for paper as PNG; the same picture is the same bytes. Refuses text that no font can draw."""
    require_glyphs(unescape(svg))
    made = typst.compile(
        _PAGE,
        font_paths=fonts(),
        ignore_system_fonts=True,
        format="png",
        ppi=DOTS_PER_INCH,
        sys_inputs={"svg": svg},
        timestamp=0,
    )
    assert isinstance(made, bytes)
    return made
