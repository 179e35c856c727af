from __future__ import annotations

from pathlib import Path

import pytest

from urbangeo.encodings import text_encoding
from urbangeo.errors import TableError


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("名称,经度".encode(), "utf-8"),
        ("名称,经度".encode("utf-8-sig"), "utf-8-sig"),
        ("名称,经度".encode("utf-16"), "utf-16"),
        ("名称,经度".encode("gb18030"), "gb18030"),
        ("联通".encode("gb18030"), "gb18030"),  # the word that fools many a detector
        (b"name,lon", "utf-8"),
        (b"", "utf-8"),
        ("area km²".encode(), "utf-8"),
    ],
)
def test_told(raw: bytes, expected: str) -> None:
    assert text_encoding([raw], "table.csv") == expected


def test_big5_is_refused_although_gb18030_would_accept_its_bytes() -> None:
    raw = "貴州省貴陽市雲巖區".encode("big5")
    raw.decode("gb18030")
    with pytest.raises(TableError, match="neither UTF-8 nor Chinese"):
        text_encoding([raw], "table.csv")


def test_what_passes_for_both_is_refused() -> None:
    raw = "学校".encode("gb18030")
    assert raw.decode("utf-8") == "ѧУ"
    with pytest.raises(TableError, match="both UTF-8 and Chinese"):
        text_encoding([raw], "table.csv")


def test_more_text_settles_what_passes_for_both() -> None:
    assert text_encoding(["学".encode("gb18030"), "贵".encode("gb18030")], "t") == "gb18030"
    assert text_encoding(["ѧ".encode(), "学校".encode()], "t") == "utf-8"


def test_noise_is_refused() -> None:
    with pytest.raises(TableError, match=r"^table\.csv"):
        text_encoding([b"\x80\xff\xfe\x81"], Path("table.csv"))


def test_a_cut_character_is_allowed_only_in_a_field_of_fixed_width() -> None:
    cut = "贵州".encode()[:-1]
    assert text_encoding([cut], "t", whole=False) == "utf-8"
    with pytest.raises(TableError):
        text_encoding([cut], "t")
