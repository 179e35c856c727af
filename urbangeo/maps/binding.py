"""Bind figures: a contact sheet of all, and for each paper one PDF with an outline."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from urbangeo._version import __version__
from urbangeo.files import writing
from urbangeo.maps.style import font_file

if TYPE_CHECKING:
    from urbangeo.maps.manifest import Manifest
    from urbangeo.maps.press import Done
    from urbangeo.maps.records import FigureRecord

__all__ = ["bind_atlas", "bound_pdf", "contact_sheet"]

_COLUMNS = 4
_THUMB = (420, 297)
_MARGIN = 24
_CAPTION = 34


def bind_atlas(done: Sequence[Done], folder: Path, manifest: Manifest, lang: str) -> list[Path]:
    """Write the contact sheet and the bound PDFs into a folder; give their paths."""
    drawn = [one for one in done if one.ok]
    first: dict[str, Done] = {}
    for one in drawn:
        first.setdefault(one.task.key, one)
    titles = {
        key: figure_title(manifest.figure(key), lang, one.title) for key, one in first.items()
    }
    written = []
    with writing(folder / "contact-sheet.png") as draft:
        draft.write_bytes(contact_sheet([(titles[k], one.thumb) for k, one in first.items()]))
    written.append(folder / "contact-sheet.png")
    for page in dict.fromkeys(one.task.page for one in drawn):
        rows = [one for one in drawn if one.task.page == page]
        path = folder / f"atlas-{page}.pdf"
        entries = [
            (_group(manifest.figure(one.task.key)), titles[one.task.key], one.pdf) for one in rows
        ]
        with writing(path) as draft:
            draft.write_bytes(bound_pdf(entries))
        written.append(path)
    return written


def figure_title(record: FigureRecord, lang: str, title: str = "") -> str:
    """Name a figure in an outline: its number, and the title on its sheet or else its key."""
    number = (record.number_en if lang == "en" else "") or record.number
    return f"{number} {title or record.key}".strip()


def _group(record: FigureRecord) -> str:
    """Name the plan under which a figure stands in the outline."""
    if record.heading:
        return record.heading
    if record.plan:
        from urbangeo.plans import plan_record

        return plan_record(record.plan).title
    return "其他"


def contact_sheet(rows: Sequence[tuple[str, bytes]]) -> bytes:
    """Draw small pictures in rows of four, each with its title; PNG.

    Parameters
    ----------
    rows
        Title and PNG of each figure.
    """
    from PIL import Image, ImageDraw, ImageFont

    columns = min(_COLUMNS, len(rows))
    lines = math.ceil(len(rows) / columns)
    cell = (_THUMB[0] + _MARGIN, _THUMB[1] + _CAPTION + _MARGIN)
    sheet = Image.new(
        "RGB", (columns * cell[0] + _MARGIN, lines * cell[1] + _MARGIN), (255, 255, 255)
    )
    pen = ImageDraw.Draw(sheet)
    letter = ImageFont.truetype(str(font_file()), 17)
    for place, (title, content) in enumerate(rows):
        row, column = divmod(place, columns)
        x, y = _MARGIN + column * cell[0], _MARGIN + row * cell[1]
        with Image.open(io.BytesIO(content)) as picture:
            small = picture.convert("RGB").resize(_THUMB, Image.Resampling.LANCZOS)
        sheet.paste(small, (x, y))
        shown = title
        while pen.textlength(shown, font=letter) > _THUMB[0]:
            shown = shown.removesuffix("…")[:-1] + "…"
        pen.text((x, y + _THUMB[1] + 6), shown, fill=(26, 26, 26), font=letter)
    stream = io.BytesIO()
    sheet.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def bound_pdf(entries: Sequence[tuple[str, str, bytes]]) -> bytes:
    """Put PDFs of one page each into one, with an outline in two levels.

    Parameters
    ----------
    entries
        Group, title and PDF of each figure; figures of one group that follow each other stand
        under its name.
    """
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    parent, before = None, None
    for number, (group, title, content) in enumerate(entries):
        for page in PdfReader(io.BytesIO(content)).pages:
            writer.add_page(page)
        if group != before:
            parent, before = writer.add_outline_item(title=group, page_number=number), group
        writer.add_outline_item(title=title, page_number=number, parent=parent)
    # Each figure brought its own copy of every font.
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    writer.page_mode = "/UseOutlines"
    creator = f"urbangeo {__version__}"
    writer.metadata = {"/Title": "图册", "/Creator": creator, "/Producer": creator}
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()
