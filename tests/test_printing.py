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
from inspect import signature
from pathlib import Path

import matplotlib as mpl
import minimap
import pytest
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from matplotlib.backends import _backend_pdf_ps
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image, ImageChops, ImageStat
from pypdf import PdfReader

from urbangeo.errors import InputError, OutputError
from urbangeo.maps.figures import draw_circle, draw_extent
from urbangeo.maps.printing import FORMATS, save, save_all
from urbangeo.maps.style import FONT_FAMILY, font, settings

_DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
import test_printing
test_printing.write(sys.argv[2], reverse=True)
"""


def write(folder: str | Path, *, reverse: bool = False) -> dict[str, Path]:
    """Draw and write two figures in every format, one after the other."""

    def extent() -> Figure:
        return draw_extent(minimap.extent(), **minimap.layers(), heading="示例规划")

    def circle() -> Figure:
        layers = {"counties": minimap.counties(), "province": minimap.province()}
        return draw_circle(minimap.circle(), **layers)

    found = {}
    for made in (circle, extent) if reverse else (extent, circle):
        figure = made()
        for kind in reversed(FORMATS) if reverse else FORMATS:
            path = Path(folder) / f"{made.__name__}.{kind}"
            found["circle-" * (made is circle) + kind] = save(figure, path, dpi=100)
    return found


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
    """Neither the time, nor the order of hashes, nor what was drawn before may show."""
    subprocess.run(
        [sys.executable, "-c", _DRAW, str(Path(__file__).parent), str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "4711", "SOURCE_DATE_EPOCH": "86400"},
        check=True,
    )
    assert len(written) == 6
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


def test_pdf_can_be_searched(written: dict[str, Path]) -> None:
    text = PdfReader(written["pdf"]).pages[0].extract_text()
    for part in ("示例规划", "规划范围图", "县域边界"):
        assert part in text


def test_matplotlib_still_asks_here_for_glyphs(
    figure: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is replaced in matplotlib is private: should it change, this says so."""
    assert list(signature(_backend_pdf_ps.get_glyphs_subset).parameters) == ["fontfile", "glyphs"]
    assert _backend_pdf_ps.SubsetResults._fields == ("font", "glyph_index_map")
    before = _backend_pdf_ps.get_glyphs_subset

    def slow(*_: object) -> None:
        pytest.fail("the font was taken apart by fontTools")

    monkeypatch.setattr(Subsetter, "subset", slow)
    save(figure, tmp_path / "a.pdf")
    save(figure, tmp_path / "a.svg")
    assert _backend_pdf_ps.get_glyphs_subset is before


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truetype_font_of_the_user(tmp_path: Path, kind: str) -> None:
    path = mpl.get_data_path() + "/fonts/ttf/DejaVuSans-Bold.ttf"
    made = Figure(figsize=(2, 1))
    made.text(0.1, 0.1, "Guiyang", fontproperties=FontProperties(fname=path, weight="bold"))
    content = save(made, tmp_path / f"a.{kind}").read_bytes()
    if kind == "pdf":
        assert re.search(rb"/BaseFont /[A-Z]{6}\+DejaVuSans-Bold\b", content)
    if kind == "svg":
        assert b"@font-face{font-family:'DejaVu Sans';font-weight:700;" in content


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


@pytest.mark.parametrize("size", [(2.3, 1.1), (3.0, 2.0), (1.15, 0.7), (297 / 25.4, 210 / 25.4)])
def test_png_has_the_pixels_that_matplotlib_draws(
    tmp_path: Path, size: tuple[float, float]
) -> None:
    made = Figure(figsize=size)
    made.text(0.1, 0.1, "黔中", fontproperties=font(20), color="#B3202A")
    path = save(made, tmp_path / "a.png", dpi=100)
    with settings():
        made.savefig(tmp_path / "b.png", dpi=100)
    with Image.open(path) as one, Image.open(tmp_path / "b.png") as other:
        assert one.mode == "RGB"
        assert one.info["dpi"] == pytest.approx((100, 100), abs=0.02)
        assert ImageChops.difference(one.convert("RGBA"), other).getbbox() is None


def test_a_transparent_figure_stays_transparent(tmp_path: Path) -> None:
    made = Figure(figsize=(2, 1), facecolor="none")
    made.text(0.1, 0.1, "黔", fontproperties=font(20))
    with Image.open(save(made, tmp_path / "a.png", dpi=50)) as picture:
        assert picture.mode == "RGBA"
        assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_several_files_at_once_are_those_written_one_by_one(figure: Figure, tmp_path: Path) -> None:
    paths = [tmp_path / f"a.{kind}" for kind in FORMATS]
    assert save_all(figure, paths, dpi=200, thumb=tmp_path / "thumb.png", thumb_width=80) == paths
    for path in paths:
        alone = save(figure, tmp_path / f"b{path.suffix}", dpi=200)
        assert alone.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("kinds", [("png",), ("pdf",), ()])
def test_a_small_picture_is_the_large_one_scaled(
    figure: Figure, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    thumb = tmp_path / "small.png"
    save_all(figure, [tmp_path / f"a.{kind}" for kind in kinds], thumb=thumb, thumb_width=100)
    large = save(figure, tmp_path / "large.png", dpi=300)
    with Image.open(thumb) as small, Image.open(large) as whole:
        assert small.size == (100, 50)
        assert small.info["dpi"] == pytest.approx((50, 50), abs=0.02)  # 100 pixels on 2 inches
        # Scaling keeps the mean; a second drawing at another size nearly does.
        means = [ImageStat.Stat(one.convert("L")).mean[0] for one in (small, whole)]
    assert means[0] == pytest.approx(means[1], abs=1.0)


def test_nothing_is_written_if_one_name_cannot_be(figure: Figure, tmp_path: Path) -> None:
    for paths, options in (
        (["a.png", "a.gif"], {}),
        (["a.png"], {"thumb": tmp_path / "a.pdf"}),
        (["a.png"], {"thumb": tmp_path / "b.png", "thumb_width": 0}),
        (["a.png"], {"dpi": 0}),
    ):
        with pytest.raises(InputError):
            save_all(figure, [tmp_path / name for name in paths], **options)
    assert list(tmp_path.iterdir()) == []


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
