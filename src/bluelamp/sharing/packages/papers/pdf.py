"""A4 pages with an embedded font that has the letters of Łukasz and Ngũgĩ (fpdf2, DejaVu Sans)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

import bluelamp.web

FONTS = Path(bluelamp.web.__file__).parent / "static" / "vendor" / "fonts"
"""Where the build of the front end puts DejaVu."""

FAMILY = "DejaVu"
_GREY, _BLACK, _RULE = (80, 86, 92), (11, 12, 12), (177, 180, 182)

# It tells of every table of the font.
logging.getLogger("fontTools").setLevel(logging.WARNING)


class Paper(FPDF):
    """A page with a running head, and at its foot the package and the page's number."""

    def __init__(self, title: str, running: str, foot: str, made_at: datetime) -> None:
        super().__init__(format="A4", unit="mm")
        self._running, self._foot = running, foot
        self.set_title(title)
        self.set_lang("en-GB")
        self.set_creator("Bluelamp")
        self.set_creation_date(made_at)
        self.set_margins(18, 18, 18)
        self.set_auto_page_break(True, 20)
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(FAMILY, style, FONTS / file)
        self.add_page()

    def header(self) -> None:
        self._set(8, colour=_GREY)
        self.cell(0, 5, self._running, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(3)

    def footer(self) -> None:
        self.set_y(-14)
        self._set(8, colour=_GREY)
        self.cell(0, 5, self._foot)
        self.set_x(self.l_margin)
        self.cell(0, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    def title_line(self, text: str) -> None:
        """The paper's name."""
        self._set(18, "B")
        self.multi_cell(0, 9, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2)

    def section(self, text: str) -> None:
        """A heading, kept together with the lines that follow it."""
        if self.will_page_break(24):
            self.add_page()
        self.ln(4)
        self._set(12, "B")
        self.multi_cell(0, 7, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def paragraph(self, text: str, size: float = 9.5) -> None:
        """Text of as many lines as it takes."""
        self._set(size)
        self.multi_cell(0, size * 0.55, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(1.5)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values in two columns; a row without a value is left out."""
        self.grid((34, 140), [[name, value] for name, value in rows if value], size=9.5, names=True)

    def grid(
        self,
        widths: tuple[float, ...],
        rows: Sequence[Sequence[str]],
        *,
        head: Sequence[str] = (),
        size: float = 8.5,
        names: bool = False,
        height: float = 0,
    ) -> None:
        """A ruled table; a head is repeated on each page. `names`: the first column is in bold. `height` in mm."""
        self._set(size)
        self.set_draw_color(*_RULE)
        bold = FontFace(emphasis="BOLD")
        line = height or size * 0.52
        with self.table(
            width=sum(widths),
            col_widths=widths,
            align="L",
            line_height=line,
            padding=1.2,
            first_row_as_headings=bool(head),
            headings_style=bold,
            borders_layout="HORIZONTAL_LINES" if not height else "ALL",
            text_align="L",
        ) as table:
            for cells in ([head] if head else []) + list(rows):
                row = table.row()
                for number, text in enumerate(cells):
                    row.cell(text, style=bold if names and number == 0 else None)
        self.ln(2)

    def _set(self, size: float, style: str = "", colour: tuple[int, int, int] = _BLACK) -> None:
        self.set_font(FAMILY, style, size)
        self.set_text_color(*colour)
