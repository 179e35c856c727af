"""Records of what goes to a GIS."""

from __future__ import annotations

import pytest

from urbangeo.maps.qgis.records import Provenance, ascii_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("qianzhong-2023/fig-4", "qianzhong_2023_fig_4"),
        ("My Parks", "my_parks"),
        ("图", "u56fe"),
        ("甲/乙", "u7532_u4e59"),
        ("2022", "t_2022"),
        ("", "t_"),
    ],
)
def test_names_are_ascii(text: str, name: str) -> None:
    assert ascii_name(text) == name


def test_provenance_is_a_sentence() -> None:
    words = Provenance(
        sources=("规划甲", "规划乙"),
        licences=("CC BY 4.0",),
        network="0123456789abcdef",
        schematic=True,
    ).words()
    assert words == (
        "资料来源：规划甲；规划乙；许可：CC BY 4.0；路网校验码：0123456789ab；"
        "示意：位置与走向不代表实际选址和线形。"
    )
    assert Provenance().words() == ""
