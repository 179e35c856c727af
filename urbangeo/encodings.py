"""Tell in which encoding Chinese text is written, or refuse to guess.

Official tables and shapefiles come in UTF-8 or in GB18030 (of which GBK and GB2312 are parts),
often without saying which, and sometimes saying the wrong one.
"""

from __future__ import annotations

import codecs
import re
import struct
from typing import TYPE_CHECKING

from urbangeo.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["dbf_encoding", "text_encoding"]

# Declarations that say nothing: GDAL and ArcGIS write them by default, and they decode any bytes.
_EMPTY_DECLARATIONS = {"iso8859-1", "cp1252", "ascii"}
# Language driver byte of a dBASE header (ESRI's and FoxPro's lists).
_DRIVER_BYTES = {0x4D: "gb18030", 0x4F: "big5", 0x78: "big5", 0x7A: "gb18030"}


def text_encoding(samples: Iterable[bytes], where: object, *, whole: bool = True) -> str:
    """Tell UTF-8 from GB18030, or refuse to guess.

    UTF-8 is so regular that Chinese text in GB18030 practically never passes for it; the few
    words that do yield Greek, Cyrillic and the like, and nothing else. GB18030 accepts almost any
    bytes, so what it yields must look like Chinese: nine in ten of its characters outside ASCII
    stand in GB/T 2312 (6,763 common characters and the punctuation). What passes for both is
    refused.

    Parameters
    ----------
    samples
        Pieces of text as bytes.
    where
        The file, for the error.
    whole
        Whether each piece ends at a character's end; fixed-width fields may cut one.

    Returns
    -------
    str
        ``"utf-8"``, ``"utf-8-sig"``, ``"utf-16"`` or ``"gb18030"``.

    Raises
    ------
    TableError
        If the text is neither, or may be either.
    """
    pieces = list(samples)
    first = pieces[0] if pieces else b""
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    utf8 = _decodes(pieces, "utf-8", whole=whole)
    if utf8 is not None and not _only_far_letters(utf8):
        return "utf-8"
    chinese = _decodes(pieces, "gb18030", whole=whole)
    if chinese is not None:
        strange = [char for char in chinese if ord(char) > 127]
        common = sum(_in_gb2312(char) for char in strange)
        if utf8 is None and common >= 0.9 * len(strange):
            return "gb18030"
        if utf8 is not None and common < 0.9 * len(strange):
            return "utf-8"
    elif utf8 is not None:
        return "utf-8"
    finding = (
        f"the text is {'both' if utf8 else 'neither'} UTF-8 {'and' if utf8 else 'nor'} Chinese in "
        "GB18030; name its encoding (encoding='big5', for example) or save it as UTF-8 with a "
        "byte order mark"
    )
    raise TableError(where, [finding])


def dbf_encoding(path: Path) -> str:
    """Tell the encoding of a shapefile's attributes from the ``.dbf``'s own bytes.

    A ``.cpg`` file or the header's language byte counts as a declaration; one that the bytes
    contradict is refused rather than followed.

    Parameters
    ----------
    path
        The ``.shp`` or ``.dbf`` file.

    Raises
    ------
    TableError
        If the encoding cannot be told, or the declaration is contradicted by the bytes.
    """
    table = _sidecar(path, ".dbf")
    if table is None:
        return "utf-8"
    raw = table.read_bytes()
    pieces = _dbf_text(raw, table)
    declared, by = _declared(table, raw)
    if declared is None or declared in _EMPTY_DECLARATIONS:
        return text_encoding(pieces, table, whole=False).replace("utf-8-sig", "utf-8")
    if _decodes(pieces, declared, whole=False) is None:
        finding = (
            f"{by} declares {declared}, but the text is not {declared}; correct or remove "
            "the declaration, or name the encoding (encoding='gb18030', for example)"
        )
        raise TableError(table, [finding])
    if declared == "gb18030" and _decodes(pieces, "utf-8", whole=True) is not None:
        # UTF-8 that passes for GB18030 is UTF-8: the reverse hardly happens.
        return "utf-8"
    return declared


def _declared(table: Path, raw: bytes) -> tuple[str | None, str]:
    page = _sidecar(table, ".cpg")
    if page is not None:
        label = page.read_text(encoding="ascii", errors="replace").strip()
        name = re.sub(r"^(?:ansi|oem)[ _]?", "", label, flags=re.IGNORECASE)
        name = f"cp{name}" if re.fullmatch(r"\d{3,5}", name) else name
        name = name.replace("cp8859", "iso8859-").replace("88591", "8859-1")
        name = {"cp65001": "utf-8"}.get(name, name)
        try:
            found = codecs.lookup(name).name
        except LookupError as error:
            raise TableError(
                page, [f"unknown encoding {label!r}; name it (encoding='gb18030', for example)"]
            ) from error
        # GBK and GB2312 are parts of GB18030.
        return ("gb18030" if found in {"gbk", "gb2312", "cp936"} else found), page.name
    found_byte = _DRIVER_BYTES.get(raw[29]) if len(raw) > 29 else None
    return found_byte, f"the header of {table.name}"


def _dbf_text(raw: bytes, table: Path) -> list[bytes]:
    """Give the field names and the character cells of a dBASE table as bytes."""
    if len(raw) < 32:
        raise TableError(table, ["not a dBASE table: shorter than its header"])
    count, header, width = struct.unpack_from("<IHH", raw, 4)
    pieces: list[bytes] = []
    spans: list[tuple[int, int]] = []
    offset, position = 32, 1
    while offset + 32 <= header and raw[offset] != 0x0D:
        pieces.append(raw[offset : offset + 11].split(b"\0")[0])
        size = raw[offset + 16]
        if raw[offset + 11 : offset + 12] == b"C":
            size += raw[offset + 17] << 8
            spans.append((position, position + size))
        position += size
        offset += 32
    for row in range(count):
        start = header + row * width
        pieces += [raw[start + a : start + b].rstrip(b" \0") for a, b in spans]
    return [piece for piece in pieces if not piece.isascii()]


def _decodes(pieces: Iterable[bytes], encoding: str, *, whole: bool) -> str | None:
    decoder = codecs.getincrementaldecoder(encoding)
    texts: list[str] = []
    for piece in pieces:
        try:
            texts.append(decoder("strict").decode(piece, final=whole))
        except UnicodeDecodeError:
            return None
    return "".join(texts)


def _only_far_letters(text: str) -> bool:
    """Tell whether all that is beyond Latin-1 is of two bytes in UTF-8, so not Chinese."""
    beyond = [ord(char) for char in text if ord(char) > 0xFF]
    return bool(beyond) and max(beyond) < 0x800


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _sidecar(path: Path, suffix: str) -> Path | None:
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    return None
