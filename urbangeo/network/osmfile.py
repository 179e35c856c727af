"""OpenStreetMap files, opened safely and cut into batches that are files themselves.

The kind is told by the first bytes: a PBF is cut between its blobs, an XML, packed or not, between
its elements. Nothing is decoded here; a batch is what a decoder may be given.

What is refused: a file that ends too early, inflates more than 250-fold, holds a blob of more than
32 MB, declares a document type or entities, is not UTF-8.
"""

from __future__ import annotations

import bz2
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from urbangeo.errors import InputError

__all__ = ["batches"]

_MOST_BLOB = 32 * 2**20  # by the format's definition
_MOST_BLOB_HEADER = 64 * 2**10
_BATCH = 8 * 2**20  # bytes of a batch once inflated
_CHUNK = 2**22
_MOST_ELEMENT = 64 * 2**20  # the longest way has 2000 nodes, some 60 kB
_MOST_RATIO, _RATIO_FROM = 250, 64 * 2**20  # real extracts inflate 10- to 30-fold
_PACKED = 2**18  # bytes of a packed file that are read at a time
_BOM = b"\xef\xbb\xbf"
_XML_START, _XML_END = b'<osm version="0.6">', b"</osm>"
_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']+)""")
_ROOT = re.compile(rb"<([A-Za-z][\w:]*)[^<>]*>")


def batches(stream: BinaryIO, where: Path) -> tuple[str, Iterator[bytes]]:
    """Tell the format of a file by its first bytes, and give its batches.

    Parameters
    ----------
    stream
        The file, opened at its start.
    where
        Its path, for messages.

    Returns
    -------
    form : str
        ``"pbf"`` or ``"osm"``, the format of the batches: those of a packed XML are not packed.
    batches : iterator of bytes
        Each a whole file of that format, of some 8 MB once inflated.

    Raises
    ------
    InputError
        If the file is of another format; while the batches are taken, if it is unsafe or damaged.
    """
    start = stream.read(16)
    stream.seek(0)
    if start[4:6] == b"\n\x09" and start[6:15] == b"OSMHeader":
        return "pbf", _pbf_batches(stream, where)
    if start.startswith(b"\x1f\x8b"):
        return "osm", _xml_batches(_inflated(stream, where, "gzip"), where)
    if start.startswith(b"BZh"):
        return "osm", _xml_batches(_inflated(stream, where, "bzip2"), where)
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")):
        raise InputError(f"{where} is not UTF-8 (UTF-16, it seems). Save it as UTF-8.")
    if start.removeprefix(_BOM).lstrip().startswith(b"<"):
        return "osm", _xml_batches(iter(lambda: stream.read(_CHUNK), b""), where)
    found = f"it begins with {start[:8]!r}" if start else "it is empty"
    raise InputError(
        f"{where} is no OpenStreetMap file in PBF or XML: {found}. Other formats can be converted "
        "with `osmium cat IN -o OUT.osm.pbf`."
    )


# -- PBF -----------------------------------------------------------------------------------------


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Number that begins at a place of a protobuf message, and where it ends."""
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("a number without an end")


def _fields(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Fields of a protobuf message: number, value or length, and the bytes where there are any."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        value, content = 0, b""
        if kind == 0:
            value, place = _varint(data, place)
        elif kind == 2:
            value, place = _varint(data, place)
            if place + value > len(data):
                raise ValueError("a field longer than its message")
            content = data[place : place + value] if value < _MOST_BLOB_HEADER else b""
            place += value
        else:
            raise ValueError(f"a field of kind {kind}")
        yield key >> 3, value, content


def _blobs(stream: BinaryIO, where: Path) -> Iterator[tuple[bytes, int, list[bytes]]]:
    """Blobs of a PBF: kind, bytes once inflated, and the blob in its frame, as it stands there."""
    while start := stream.read(4):
        size = int.from_bytes(start, "big")
        if size > _MOST_BLOB_HEADER:
            raise InputError(
                f"{where} is damaged: a blob's header of {size:,} bytes in its middle."
            )
        head = stream.read(size)
        try:
            fields = {number: (value, content) for number, value, content in _fields(head)}
        except ValueError as error:
            raise InputError(f"{where} is damaged or ends too early: {error}.") from error
        if 1 not in fields or 3 not in fields:
            raise InputError(
                f"{where} is damaged or ends too early: a blob without its kind or its length."
            )
        kind, length = fields[1][1], fields[3][0]
        if length > _MOST_BLOB:
            raise InputError(
                f"{where} holds a blob of {length:,} bytes; the format allows {_MOST_BLOB:,}."
            )
        data = stream.read(length)
        if len(data) < length:
            raise InputError(
                f"{where} ends too early: a blob of {length:,} bytes has {len(data):,}. "
                "Fetch the file again."
            )
        try:
            # its content as it is, or how much it inflates to
            large = max(
                (value for number, value, _ in _fields(data) if number in {1, 2}), default=0
            )
        except ValueError as error:
            raise InputError(f"{where} is damaged: {error}.") from error
        if large > _MOST_BLOB:
            raise InputError(
                f"{where} holds a blob that inflates to {large:,} bytes; "
                f"the format allows {_MOST_BLOB:,}."
            )
        yield kind, max(large, length), [start, head, data]


def _pbf_batches(stream: BinaryIO, where: Path) -> Iterator[bytes]:
    """Whole PBF files of a few blobs each, with the header in front of each."""
    header: list[bytes] = []
    batch: list[bytes] = []
    inflated = 0
    for kind, size, blob in _blobs(stream, where):
        if kind == b"OSMHeader":
            if header:
                raise InputError(
                    f"{where} is several files in one. Merge them with `osmium merge` first."
                )
            header = blob
            continue
        batch += blob
        inflated += size
        if inflated >= _BATCH:
            yield b"".join(header + batch)
            batch, inflated = [], 0
    if batch:
        yield b"".join(header + batch)


# -- packed files --------------------------------------------------------------------------------


def _inflated(stream: BinaryIO, where: Path, kind: str) -> Iterator[bytes]:
    """Inflate a file piece by piece; refuse one that swells or ends too early."""
    engine: Any = None  # None between two streams: a file may hold several, one after the other
    taken = given = 0
    while data := stream.read(_PACKED):
        taken += len(data)
        while data:
            if engine is None:
                data = data.lstrip(b"\x00")  # some tools pad the end with zeros
                if not data:
                    break
                engine = zlib.decompressobj(wbits=31) if kind == "gzip" else bz2.BZ2Decompressor()
            try:
                for piece in _pieces(engine, data):
                    given += len(piece)
                    if given > max(_RATIO_FROM, _MOST_RATIO * taken):
                        raise InputError(
                            f"{where} swells from {taken:,} bytes to more than {given:,}: no real "
                            f"extract does. Refused as a {kind} bomb."
                        )
                    if piece:
                        yield piece
            except (zlib.error, OSError) as error:
                raise InputError(
                    f"{where} is damaged ({kind}: {error}). Fetch it again."
                ) from error
            data = b""
            if engine.eof:
                data, engine = engine.unused_data, None
    if engine is not None:
        raise InputError(f"{where} ends too early: its {kind} stream is cut. Fetch it again.")


def _pieces(engine: Any, data: bytes) -> Iterator[bytes]:
    """What a decompressor of zlib or bz2 makes of some data, a bounded piece at a time."""
    while True:
        yield engine.decompress(data, _CHUNK)
        if engine.eof:
            return
        if isinstance(engine, bz2.BZ2Decompressor):  # it keeps what it has not used yet
            data = b""
            if engine.needs_input:
                return
        else:
            data = engine.unconsumed_tail
            if not data:
                return


# -- XML -----------------------------------------------------------------------------------------


def _xml_batches(pieces: Iterator[bytes], where: Path) -> Iterator[bytes]:
    """Whole XML files of some elements each, without comments, declarations or a document type."""
    rest = undecided = b""
    begun = False
    ended = False
    for piece in pieces:
        text, undecided = _without_comments(undecided + piece, where)
        rest += text
        size = len(rest) + len(undecided)
        if not begun:
            body = _after_root(rest, where)
            if body is None:
                if size > _CHUNK:
                    raise InputError(f"{where} has no <osm> element at its start.")
                continue
            begun, rest = True, body
        end = rest.find(_XML_END)
        if end >= 0:
            ended = True
            end += len(_XML_END)
            if rest[end:].strip():
                raise InputError(f"{where} goes on after its end (</osm>): several files in one.")
            rest = rest[:end]
        cut = max(rest.rfind(b"<node"), rest.rfind(b"<way"), rest.rfind(b"<relation"))
        if cut > 0 and len(rest) >= _BATCH:
            yield _XML_START + rest[:cut] + _XML_END
            rest = rest[cut:]
        elif size > _MOST_ELEMENT:
            raise InputError(f"{where} holds an element of more than {_MOST_ELEMENT:,} bytes.")
    if not begun:
        raise InputError(f"{where} has no <osm> element at its start.")
    if not ended:
        raise InputError(f"{where} ends too early: </osm> is missing. Fetch the file again.")
    if undecided:
        raise InputError(f"{where} goes on after its end (</osm>) with a comment that has none.")
    yield _XML_START + rest


def _without_comments(text: bytes, where: Path) -> tuple[bytes, bytes]:
    """Put a blank for each comment, lest what stands around it makes a declaration; refuse those.

    The second part is what only a later piece decides: a comment that has not ended, or the start
    of what may be one.
    """
    kept = []
    after = 0
    while (begin := text.find(b"<!--", after)) >= 0 and (end := text.find(b"-->", begin + 4)) >= 0:
        kept.append(text[after:begin])
        after = end + 3
    text = b" ".join([*kept, text[after:]])
    place = text.find(b"<!")
    if place < 0:
        place = len(text) - text.endswith(b"<")
    here = text[place : place + 9]
    if here.startswith(b"<!--") or b"<!--".startswith(here):
        return text[:place], text[place:]
    raise InputError(
        f"{where} declares a document type, an entity or raw text "
        f"({here.decode(errors='replace')}…). OpenStreetMap files have none; it is refused "
        "because such XML can read other files."
    )


def _after_root(text: bytes, where: Path) -> bytes | None:
    """Give what follows the root's start tag, or None if that is not complete yet."""
    text = text.removeprefix(_BOM)
    encoding = _ENCODING.match(text.lstrip())
    if encoding and encoding[1].upper() not in {b"UTF-8", b"UTF8", b"US-ASCII", b"ASCII"}:
        raise InputError(
            f"{where} is in {encoding[1].decode(errors='replace')}; UTF-8 is expected. Convert it."
        )
    root = _ROOT.search(text)
    if root is None:
        return None
    if root[1] != b"osm":
        raise InputError(
            f"{where} is <{root[1].decode()}>, not <osm>: an extract is expected, no change file, "
            "GPX or anything else."
        )
    body = text[root.end() :]
    return _XML_END + body if root[0].endswith(b"/>") else body
