"""Statements of a plan, computed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from urbangeo.claims import arithmetic, recompute
from urbangeo.errors import InputError
from urbangeo.plans import plan

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-4 / 8", -0.5),
        ("7 − 2", 5),
        ("1279/2125*100", 60.188),
    ],
)
def test_arithmetic(text: str, value: float) -> None:
    assert arithmetic(text) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "a + 1", "2 ** 9", "1 +", "1 / 0", "'a'", "True", "(" * 500, ""]
)
def test_nothing_but_arithmetic(text: str) -> None:
    with pytest.raises(InputError):
        arithmetic(text)


@pytest.mark.parametrize(
    ("measure", "of", "unit", "value"),
    [
        ("members", "lanchuan", "", 4),
        ("members", "各组团", "", 4),
        ("rows", "towns", "", 5),
        ("rows", "towns adcode=990104", "", 2),
        ("rows", "towns list=特色城镇 adcode=990104", "", 2),
        ("distinct", "towns.adcode+name", "", 4),
        ("distinct", "towns.name", "", 3),
        ("sum", "cities.value attribute=地区生产总值", "", 900),
        # Five cells of half a degree, 48.2 and 47.9 by 55.4 km.
        ("area", "lanchuan", "平方公里", 3 * 48.2 * 55.4 + 2 * 47.9 * 55.4),
        ("area", "lanchuan", "万平方公里", 1.33),
    ],
)
def test_measures(measure: str, of: str, unit: str, value: float) -> None:
    assert recompute(plan(INVENTED), measure, of, unit) == pytest.approx(value, rel=0.005)


@pytest.mark.parametrize(
    ("measure", "of", "unit", "expected"),
    [
        ("area", "lanchuan", "亩", "平方公里"),
        ("rows", "towns kind=x", "", "has no column 'kind'"),
        ("distinct", "towns", "", "found no column"),
        ("sum", "cities.value", "", "hold no number"),
        ("expressway_km", "lanchuan", "", "an extent and a year"),
        ("weight", "lanchuan", "", "Unknown measure"),
        ("members", "nowhere", "", "Unknown extent"),
        ("rows", "town", "", "Did you mean towns"),
    ],
)
def test_what_cannot_be_computed_says_why(measure: str, of: str, unit: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        recompute(plan(INVENTED), measure, of, unit)


def test_expressways_in_the_cluster_come_near_the_stated_length() -> None:
    # qianzhong-2023, chapter 1: 3,404 km at the end of 2022.
    found = recompute(plan("qianzhong-2023"), "expressway_km", "qianzhong 2022")
    assert found == pytest.approx(3404, rel=0.06)
