"""Write a figure as PDF, SVG or PNG: the same bytes every time, with the font inside.

Two things are done that matplotlib does not do by itself. The font is an OpenType font with
PostScript outlines; as Type 42 matplotlib would put these, unchanged, where a PDF promises
TrueType, which some readers and printers refuse, so the glyphs that are used are put together as
a TrueType font (:mod:`urbangeo.maps.typefaces`). And an SVG whose text stays text names its font
without holding it, so those glyphs are put into the file.
"""

from __future__ import annotations

import base64
import io
import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends import _backend_pdf_ps
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font, weight_dict

from urbangeo._version import __version__
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.maps.shaping import remembered
from urbangeo.maps.style import FONT_FAMILY, missing_glyphs, settings, visible_texts
from urbangeo.maps.typefaces import face, web_font

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FORMATS", "MapFigure", "save", "save_all", "title_of"]

FORMATS = ("pdf", "svg", "png")

_SCREEN_DPI = 96

_PNG_EFFORT = 3
"""How hard zlib tries: with 6 a map becomes a twelfth smaller and takes twice as long."""

_PATCHING = Lock()


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: float = 300) -> Path:
    """Write a figure; the suffix says as what.

    The same figure gives the same bytes: dates are left out, identifiers come from a fixed salt.
    Fonts are embedded, and text stays text in PDF and SVG. What stood at ``path`` is replaced
    only when the new file is whole.

    Parameters
    ----------
    figure
        From :func:`urbangeo.maps.draw` or any other.
    path
        Ends in ``.pdf``, ``.svg`` or ``.png``.
    dpi
        Dots per inch of a PNG.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the format or resolution cannot be used, or the font lacks a character.
    OutputError
        If the file cannot be written.
    """
    return save_all(figure, [path], dpi=dpi)[0]


def save_all(
    figure: Figure,
    paths: Iterable[str | os.PathLike[str]],
    *,
    dpi: float = 300,
    thumb: str | os.PathLike[str] | None = None,
    thumb_width: int = 702,
) -> list[Path]:
    """Write a figure to several files, as :func:`save` writes one.

    What the files share is done once: the check of characters, and the picture of all PNG.

    Parameters
    ----------
    figure
        From :func:`urbangeo.maps.draw` or any other.
    paths
        Each ends in ``.pdf``, ``.svg`` or ``.png``.
    dpi
        Dots per inch of a PNG.
    thumb
        Write a small picture here too: the PNG scaled down where there is one that is larger,
        else the figure drawn at twice the size and scaled down.
    thumb_width
        Its width, pixels; the height follows from the figure.

    Returns
    -------
    list of pathlib.Path
        The files of ``paths``, in their order.

    Raises
    ------
    InputError
        If a format or resolution cannot be used, or the font lacks a character; nothing is
        written then.
    OutputError
        If a file cannot be written; those before it are written.
    """
    targets = [Path(path) for path in paths]
    kinds = [_kind(target) for target in targets]
    small = None if thumb is None else Path(thumb)
    if small is not None and _kind(small) != "png":
        raise InputError(f"A small picture is a PNG; end the name {small.name!r} in .png.")
    if not 20 <= dpi <= 2400:
        raise InputError(f"dpi is {dpi}; between 20 and 2400 is expected.")
    if not 16 <= thumb_width <= 10_000:
        raise InputError(f"thumb_width is {thumb_width}; 16 to 10000 pixels are expected.")
    lacking = missing_glyphs(figure)
    if lacking:
        found = "; ".join(f"{letter!r} in {texts[0]!r}" for letter, texts in lacking.items())
        raise InputError(
            f"The font {FONT_FAMILY} cannot draw {found}. Write it with other characters."
        )
    picture = _picture(figure, dpi) if "png" in kinds else None
    for target, kind in zip(targets, kinds, strict=True):
        content = _png(picture, dpi) if picture and kind == "png" else _vectors(figure, kind, dpi)
        _write(target, content)
    if small is not None:
        if picture is None or picture.width < thumb_width:
            picture = _picture(figure, 2 * thumb_width / figure.get_figwidth())
        _write(small, _png(_scaled(picture, thumb_width), thumb_width / figure.get_figwidth()))
    return targets


def _kind(target: Path) -> str:
    kind = target.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InputError(
            f"A figure cannot be written as {target.name!r}; end its name in "
            f"{', '.join('.' + known for known in FORMATS)}."
        )
    return kind


def _write(target: Path, content: bytes) -> None:
    with writing(target) as draft:
        draft.write_bytes(content)


class MapFigure(Figure):
    """A figure that shows itself in a notebook, and is set as it was laid out whoever saves it.

    IPython draws figures that pyplot made; these are not, so that no global state is touched.
    """

    def savefig(self, *names: Any, **options: Any) -> None:
        """Write as :meth:`matplotlib.figure.Figure.savefig` does, in the package's settings.

        :func:`save` does more: fonts in SVG and PDF, the same bytes, no half-written file.
        """
        with settings(), remembered():
            super().savefig(*names, **options)

    def _repr_png_(self) -> bytes:
        """Draw for the screen; called by IPython."""
        return _png(_picture(self, _SCREEN_DPI), _SCREEN_DPI)


def _vectors(figure: Figure, kind: str, dpi: float) -> bytes:
    """Write PDF or SVG; ``dpi`` is that of pictures in them."""
    title, creator = _title(figure), f"urbangeo {__version__}"
    if kind == "svg":
        metadata = {"Title": title, "Creator": creator, "Date": None}
        return _with_fonts(_saved(figure, format=kind, dpi=dpi, metadata=metadata), figure)
    metadata = {"Title": title, "Creator": creator, "Producer": None, "CreationDate": None}
    with _truetype_subsets():
        return _saved(figure, format=kind, dpi=dpi, metadata=metadata)


def _picture(figure: Figure, dpi: float) -> Image:
    """Draw in pixels: RGB, or RGBA if something shows through."""
    from PIL import Image

    pixels = _saved(figure, format="rgba", dpi=dpi)
    # As many as the renderer made of the same numbers.
    size = (int(figure.bbox_inches.width * dpi), int(figure.bbox_inches.height * dpi))
    drawn = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
    least, _ = drawn.getchannel("A").getextrema()
    return drawn.convert("RGB") if least == 255 else drawn


def _scaled(picture: Image, width: int) -> Image:
    from PIL.Image import Resampling

    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Resampling.LANCZOS, reducing_gap=2.0)


def _png(picture: Image, dpi: float) -> bytes:
    """Write a PNG (ISO/IEC 15948) whose rows are not filtered.

    Filters guess a pixel from those beside it. Maps are flat colours, which repeat anyway: as
    they are, they become smaller than with the filters that Pillow chooses, in half the time.
    """
    width, height = picture.size
    bands = len(picture.getbands())
    rows = np.zeros((height, 1 + width * bands), np.uint8)
    rows[:, 1:] = np.asarray(picture).reshape(height, -1)
    # 8 bits; colour type 2 is RGB, 6 RGBA.
    kind = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[bands], 0, 0, 0)
    per_metre = round(dpi / 0.0254)
    parts = (
        (b"IHDR", kind),
        (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
        (b"IDAT", zlib.compress(rows.tobytes(), _PNG_EFFORT)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def _saved(figure: Figure, **options: Any) -> bytes:
    stream = io.BytesIO()
    with settings(), remembered(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing from font")
        figure.savefig(stream, **options)
    return stream.getvalue()


def title_of(figure: Figure) -> str:
    """Give the title that is written on a sheet; empty if there is none."""
    texts = {artist.get_gid(): artist.get_text() for artist in visible_texts(figure)}
    return texts.get("title", "")


def _title(figure: Figure) -> str:
    texts = {artist.get_gid(): artist.get_text() for artist in visible_texts(figure)}
    return " ".join(texts[part] for part in ("heading", "title") if texts.get(part))


@contextmanager
def _truetype_subsets() -> Iterator[None]:
    """Let matplotlib's PDF writer embed TrueType outlines while this lasts."""
    original = _backend_pdf_ps.get_glyphs_subset

    @contextmanager
    def converted(fontfile: Any, glyphs: Any) -> Iterator[Any]:
        known = face(str(fontfile.path), fontfile.face_index)
        if known is None:
            with original(fontfile, glyphs) as found:
                yield found
        else:
            made = known.part(glyphs)
            yield _backend_pdf_ps.SubsetResults(made.font, made.places)

    with _PATCHING:
        _backend_pdf_ps.get_glyphs_subset = converted
        try:
            yield
        finally:
            _backend_pdf_ps.get_glyphs_subset = original


def _with_fonts(content: bytes, figure: Figure) -> bytes:
    """Put the glyphs that are used into an SVG, one font for each weight."""
    used: dict[tuple[str, int], set[str]] = {}
    for artist in visible_texts(figure):
        prop = artist.get_fontproperties()
        path = str(prop.get_file() or "")
        # A text with a path effect has become outlines.
        if path and not artist.get_path_effects():
            weight = prop.get_weight()
            number = weight_dict[weight] if isinstance(weight, str) else int(weight)
            used.setdefault((path, number), set()).update(artist.get_text())
    rules = []
    for (path, number), characters in sorted(used.items()):
        data = base64.b64encode(web_font(path, characters)).decode("ascii")
        # matplotlib names the family that the file itself names.
        rules.append(
            f"@font-face{{font-family:'{get_font(path).family_name}';font-weight:{number};"
            f"src:url(data:font/woff;base64,{data}) format('woff')}}"
        )
    style = f'<style type="text/css">{"".join(rules)}</style>\n  '.encode("ascii")
    changed, count = re.subn(rb"(<defs>\s*)", lambda found: found[1] + style, content, count=1)
    if count != 1:
        raise InputError("The SVG that matplotlib wrote has no <defs>; the font has no place.")
    return changed
