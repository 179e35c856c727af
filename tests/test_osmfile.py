"""OpenStreetMap files, opened safely and cut into batches: every kind, and what is refused."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from osmfiles import FORMATS, ROAD, grid, write_osm, write_xml, xml_nodes, xml_way

from urbangeo.errors import InputError
from urbangeo.network import osmfile
from urbangeo.network.osm import read_osm

pytest.importorskip("osmium", reason="the extra osm is not installed")


def test_batches_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = grid(40, 40, 0.001)
    ways = [(row + 1, range(row * 40 + 1, row * 40 + 41), ROAD) for row in range(40)]
    ways += [(100 + c, range(c + 1, 1601, 40), {"highway": "tertiary"}) for c in range(0, 40, 7)]
    for suffix in FORMATS:
        path = write_osm(tmp_path / f"x{suffix}", nodes, ways)
        monkeypatch.setattr(osmfile, "_BATCH", 2**23)
        whole = read_osm(path)
        monkeypatch.setattr(osmfile, "_BATCH", 500)
        monkeypatch.setattr(osmfile, "_CHUNK", 100)
        pieces = read_osm(path)
        assert whole.links.to_csv() == pieces.links.to_csv()
        assert whole.xy.tobytes() == pieces.xy.tobytes()
        monkeypatch.undo()


@pytest.mark.parametrize(
    "path", ["https://example.org/x.osm.pbf", "/vsicurl/https://example.org/x.osm", "s3://a/b.osm"]
)
def test_addresses_are_refused(path: str) -> None:
    with pytest.raises(InputError, match="not the path of a local file"):
        read_osm(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_osm(tmp_path / "x.osm")
    with pytest.raises(InputError, match="is a folder"):
        read_osm(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 a zip", b"\xff\xe0 o5m", b"id,lon,lat\n1,107,27\n", b"\x00" * 99]
)
def test_other_formats_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.osm\.pbf is no OpenStreetMap file"):
        read_osm(path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    ways = [(row, range(row * 40 + 1, row * 40 + 41), ROAD) for row in range(40)]
    path = write_osm(tmp_path / f"x{suffix}", grid(40, 40, 0.0012345), ways)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"x\.osm.*(ends too early|damaged)"):
        read_osm(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_in_the_middle_is_an_error_or_a_file(tmp_path: Path, suffix: str) -> None:
    ways = [(row, range(row * 40 + 1, row * 40 + 41), ROAD) for row in range(40)]
    path = write_osm(tmp_path / f"x{suffix}", grid(40, 40, 0.0012345), ways)
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(whole), 60).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        # a digit of a coordinate may be any digit; nothing but our own error may come up
        with contextlib.suppress(InputError):
            assert len(read_osm(path).links)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE osm SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE osm [<!ENTITY a "b">]>',
        '<?xml version="1.0"?>\n<!-- a comment --><!DOCTYPE osm [<!ENTITY a SYSTEM "x">]>',
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_document_type_is_refused(tmp_path: Path, head: str, packed: bool) -> None:
    path = write_xml(tmp_path / "x.osm", xml_nodes(grid(2)), head)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InputError, match=r"x\.osm declares a document type"):
        read_osm(path)


@pytest.mark.parametrize("body", ['<!ENTITY a "b">', "<![CDATA[<way id='1'>]]>"])
def test_declarations_inside_are_refused_too(tmp_path: Path, body: str) -> None:
    with pytest.raises(InputError, match="declares"):
        read_osm(write_xml(tmp_path / "x.osm", xml_nodes(grid(2)) + body))


def test_an_unknown_entity_is_refused(tmp_path: Path) -> None:
    body = xml_nodes(grid(2)) + xml_way(1, [1, 2], highway="primary", name="&a;")
    with pytest.raises(InputError, match="damaged"):
        read_osm(write_xml(tmp_path / "x.osm", body))


def test_comments_are_no_elements(tmp_path: Path) -> None:
    body = xml_nodes(grid(2)) + '<!-- <way id="9"> <!DOCTYPE -->'
    body += xml_way(1, [1, 2], highway="primary")
    assert len(read_osm(write_xml(tmp_path / "x.osm", body)).links) == 1


def test_a_comment_may_be_longer_than_what_is_read_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osmfile, "_CHUNK", 200)
    monkeypatch.setattr(osmfile, "_BATCH", 300)
    body = xml_nodes(grid(3)) + f"<!-- {'x' * 250} </osm> <way {'y' * 250} <node {'z' * 250}-->"
    body += xml_way(1, [1, 2, 3], highway="primary")
    assert len(read_osm(write_xml(tmp_path / "x.osm", body)).links) == 1


def test_a_declaration_is_seen_wherever_the_file_is_cut() -> None:
    def cut(text: bytes, size: int) -> list[bytes]:
        pieces = iter([text[place : place + size] for place in range(0, len(text), size)])
        return list(osmfile._xml_batches(pieces, Path("x.osm")))

    head = b'<?xml version="1.0"?><!-- a -->'
    for size in range(1, 60):
        with pytest.raises(InputError, match="declares a document type"):
            cut(head + b"<!DOCTYPE osm><osm></osm>", size)
        # nor is one made by taking a comment out
        assert b"<!" not in b"".join(cut(head + b"<osm><<!-- b -->!DOCTYPE osm></osm>", size))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<!--" * 200_000, "ends too early"),
        ("</osm><!-- no end", "goes on after its end"),
        ("</osm><", "goes on after its end"),
    ],
)
def test_a_comment_without_an_end_is_refused(tmp_path: Path, body: str, text: str) -> None:
    path = tmp_path / "x.osm"
    path.write_text(f"<osm>{xml_nodes(grid(2))}{body}")
    with pytest.raises(InputError, match=text):
        read_osm(path)


@pytest.mark.parametrize("start", ["<a" * 500_000, "<!--" * 500_000])
def test_a_start_that_never_ends_is_refused_at_once(tmp_path: Path, start: str) -> None:
    path = tmp_path / "x.osm"
    path.write_text(start)
    with pytest.raises(InputError, match="no <osm> element at its start"):
        read_osm(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_packed_files_may_be_several_streams_and_end_in_zeros(tmp_path: Path, pack: Any) -> None:
    whole = write_xml(
        tmp_path / "x.osm", xml_nodes(grid(2)) + xml_way(1, [1, 2], highway="primary")
    ).read_bytes()
    path = tmp_path / "x.osm.packed"
    path.write_bytes(pack(whole[:100]) + pack(whole[100:]) + b"\x00" * 600_000)
    assert len(read_osm(path).links) == 1


@pytest.mark.parametrize("coding", ["utf-16", "gb18030"])
def test_other_encodings_are_refused(tmp_path: Path, coding: str) -> None:
    head = f'<?xml version="1.0" encoding="{coding}"?>'
    path = tmp_path / "x.osm"
    path.write_text(f'{head}<osm version="0.6">{xml_nodes(grid(2))}</osm>', encoding=coding)
    with pytest.raises(InputError, match="UTF-8"):
        read_osm(path)


def test_other_roots_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.osm"
    path.write_text("<osmChange version='0.6'><create></create></osmChange>")
    with pytest.raises(InputError, match="<osmChange>, not <osm>"):
        read_osm(path)
    path.write_text("<osm version='0.6'></osm><osm version='0.6'></osm>")
    with pytest.raises(InputError, match="goes on after its end"):
        read_osm(path)
    path.write_text("<osm version='0.6'/><osm version='0.6'/>")
    with pytest.raises(InputError, match="goes on after its end"):
        read_osm(path)
    path.write_text("<osm version='0.6'/>")
    with pytest.raises(InputError, match="holds no road or railway"):
        read_osm(path)


@pytest.mark.parametrize("kind", ["gzip", "bzip2"])
def test_bombs_are_refused(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osmfile, "_RATIO_FROM", 2**20)
    text = b'<osm version="0.6">' + b" " * 40_000_000
    path = tmp_path / "x.osm.gz"
    path.write_bytes(gzip.compress(text, 9) if kind == "gzip" else bz2.compress(text))
    with pytest.raises(InputError, match=f"Refused as a {kind} bomb"):
        read_osm(path)


def test_an_endless_element_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osmfile, "_MOST_ELEMENT", 10_000)
    path = write_xml(tmp_path / "x.osm", f'<node id="1" a="{"x" * 5_000_000}"/>')
    with pytest.raises(InputError, match="an element of more than"):
        read_osm(path)


def blob(kind: bytes, body: bytes) -> bytes:
    """Frame a blob of a PBF."""
    head = b"\x0a" + bytes([len(kind)]) + kind + b"\x18" + varint(len(body))
    return struct.pack(">I", len(head)) + head + body


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def zipped(content: bytes, claimed: int | None = None) -> bytes:
    packed = zlib.compress(content, 9)
    size = len(content) if claimed is None else claimed
    return b"\x10" + varint(size) + b"\x1a" + varint(len(packed)) + packed


def header() -> bytes:
    words = (b"OsmSchema-V0.6", b"DenseNodes")
    return blob(b"OSMHeader", zipped(b"".join(b"\x22" + varint(len(w)) + w for w in words)))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (blob(b"OSMData", zipped(b"\0" * 40_000_000)), "inflates to 40,000,000"),
        (blob(b"OSMData", zipped(b"\0" * 40_000_000, 100)), "damaged"),  # it lies about its size
        (blob(b"OSMData", zipped(b"\0" * 100, 2**31)), "inflates to"),
        (blob(b"OSMData", b"\x0a" + varint(10**9) + b"x"), "damaged"),
        (blob(b"OSMData", b"\xff" * 20), "damaged"),
        (struct.pack(">I", 2**31) + b"x" * 99, "damaged"),
        (struct.pack(">I", 20) + b"\x0a\x07OSMData\x18" + varint(2**40), "holds a blob of"),
        (struct.pack(">I", 20) + b"\x0a\x07OSMData", "damaged or ends too early"),
        (b"\x00\x00", "damaged"),
        (header(), "several files in one"),
    ],
)
def test_blobs_that_swell_or_lie_are_refused(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(header() + data)
    with pytest.raises(InputError, match=rf"x\.osm\.pbf.*{text}"):
        read_osm(path)
