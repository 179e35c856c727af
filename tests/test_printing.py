"""Written figures: same bytes, embedded fonts, text that stays text."""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import matplotlib as mpl
import minimap
import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from urbangeo.errors import InputError, OutputError
from urbangeo.maps.figures import draw_circle, draw_extent
from urbangeo.maps.printing import FORMATS, save
from urbangeo.maps.style import FONT_FAMILY, font

_DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
import test_printing
test_printing.write(sys.argv[2])
"""


def write(folder: str | Path) -> dict[str, Path]:
    """Draw and write two figures: the first in every format, the second as PNG."""
    extent = draw_extent(minimap.extent(), **minimap.layers(), heading="示例规划")
    circle = draw_circle(minimap.circle(), counties=minimap.counties(), province=minimap.province())
    found = {kind: save(extent, Path(folder) / f"extent.{kind}", dpi=100) for kind in FORMATS}
    return {**found, "circle": save(circle, Path(folder) / "circle.png", dpi=100)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def figure() -> Figure:
    made = Figure(figsize=(2, 1))
    made.text(0.1, 0.1, "黔", fontproperties=font(20), gid="title")
    return made


def streams(pdf: bytes) -> dict[int, bytes]:
    """The uncompressed streams of a PDF by object number."""
    found = {}
    for match in re.finditer(rb"(\d+) 0 obj\n<<((?:(?!endobj).)*?)>>\nstream\n", pdf, re.DOTALL):
        length = int(re.search(rb"/Length (\d+)", match[2])[1])  # type: ignore[index]
        reference = re.search(rb"/Length (\d+) 0 R", match[2])
        if reference:
            length = int(re.search(rb"\n%s 0 obj\n(\d+)" % reference[1], pdf)[1])  # type: ignore[index]
        data = pdf[match.end() : match.end() + length]
        if b"/FlateDecode" in match[2]:
            data = zlib.decompress(data)
        found[int(match[1])] = data
    return found


def test_same_bytes_in_another_process(written: dict[str, Path], tmp_path: Path) -> None:
    """Neither the time, nor the order of hashes, nor what ran before may show."""
    subprocess.run(
        [sys.executable, "-c", _DRAW, str(Path(__file__).parent), str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "4711", "SOURCE_DATE_EPOCH": "86400"},
        check=True,
    )
    assert len(written) == 4
    for path in written.values():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_the_users_settings_do_not_show(figure: Figure, tmp_path: Path) -> None:
    one = save(figure, tmp_path / "a.svg").read_bytes()
    with mpl.rc_context({"svg.fonttype": "path", "savefig.transparent": True}):
        other = save(figure, tmp_path / "b.svg").read_bytes()
    assert one == other


def test_pdf_embeds_truetype_fonts_and_keeps_text(written: dict[str, Path]) -> None:
    pdf = written["pdf"].read_bytes()
    found = streams(pdf)
    fonts = [int(number) for number in re.findall(rb"/FontFile2 (\d+) 0 R", pdf)]
    assert fonts
    assert b"/Type3" not in pdf
    for number in fonts:
        # What a PDF calls FontFile2 is TrueType: version 1.0, outlines in glyf.
        assert found[number][:4] == b"\x00\x01\x00\x00"
        opened = TTFont(io.BytesIO(found[number]))
        assert "glyf" in opened
        assert "CFF " not in opened
    mapped = b"".join(data for data in found.values() if b"begincmap" in data).lower()
    for character in "示例规划范围图":
        assert b"<%04x>" % ord(character) in mapped
    assert b"/CreationDate" not in pdf
    assert b"/MediaBox [ 0 0 841.8" in pdf  # A4: 297 mm are 841.89 points


def test_converted_outlines_keep_their_shape(figure: Figure, tmp_path: Path) -> None:
    pdf = save(figure, tmp_path / "a.pdf").read_bytes()
    found = streams(pdf)
    (number,) = {int(n) for n in re.findall(rb"/FontFile2 (\d+) 0 R", pdf)}
    made = TTFont(io.BytesIO(found[number]))
    original = TTFont(str(font(20).get_file()), lazy=True)
    name = original.getBestCmap()[ord("黔")]
    measured = []
    for opened, glyph in ((original, name), (made, made.getBestCmap()[ord("黔")])):
        glyphs = opened.getGlyphSet()
        area, bounds = AreaPen(glyphs), BoundsPen(glyphs)
        glyphs[glyph].draw(area)
        glyphs[glyph].draw(bounds)
        measured.append((abs(area.value), bounds.bounds))
    original.close()
    assert measured[1][0] == pytest.approx(measured[0][0], rel=0.01)
    assert measured[1][1] == pytest.approx(measured[0][1], abs=1.0)


def test_svg_keeps_text_and_holds_its_font(written: dict[str, Path]) -> None:
    svg = written["svg"].read_text("utf-8")
    ET.fromstring(svg)  # noqa: S314 - our own file
    assert ">规划范围图</text>" in svg
    assert ">县域边界</text>" in svg
    assert "<dc:date>" not in svg
    rules = re.findall(
        r"@font-face\{font-family:'([^']+)';font-weight:(\d+);"
        r"src:url\(data:font/woff;base64,([^)]+)\)",
        svg,
    )
    assert {family for family, _, _ in rules} == {FONT_FAMILY}
    held = {
        int(weight): set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap())
        for _, weight, data in rules
    }
    drawn = re.findall(r'<text style="([^"]*)"[^>]*>([^<]*)</text>', svg)
    assert len(drawn) > 30
    for style, text in drawn:
        weight = re.search(r"font-weight: (\d+)", style)
        known = held[int(weight[1]) if weight else 400]
        assert {ord(character) for character in text} <= known


def test_png_has_its_resolution(written: dict[str, Path]) -> None:
    png = written["png"].read_bytes()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == (int(297 / 25.4 * 100), int(210 / 25.4 * 100))
    assert b"Software" not in png


def test_a_missing_glyph_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    figure = Figure()
    figure.text(0, 0, "黔\U000f0000", fontproperties=font(8))
    with pytest.raises(InputError, match="cannot draw"):
        save(figure, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.gif", "a", "a.pdf.gz"])
def test_an_unknown_format_is_refused(figure: Figure, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.pdf, \.svg, \.png"):
        save(figure, tmp_path / name)


@pytest.mark.parametrize("dpi", [0, -1, float("nan"), 1e6])
def test_an_impossible_resolution_is_refused(figure: Figure, tmp_path: Path, dpi: float) -> None:
    with pytest.raises(InputError, match="between 20 and 2400"):
        save(figure, tmp_path / "a.png", dpi=dpi)


def test_a_place_that_cannot_be_written(figure: Figure, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError):
        save(figure, blocked / "a.png", dpi=30)
    assert blocked.read_text() == "in the way"
