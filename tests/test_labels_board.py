"""Who gets which position: no two meet, and all together stand as well as they can."""

from __future__ import annotations

import numpy as np
import pytest
from labelboards import point

from urbangeo.maps.labels.board import choose
from urbangeo.maps.labels.spots import Spots

NONE = (np.nan,) * 4


def option(
    key: str,
    *places: tuple[float, float],
    leaders: tuple[tuple[float, ...], ...] = (),
    cost: tuple[float, ...] = (),
    **label: object,
) -> Spots:
    """A name of 4 × 2 mm that could stand at some places, each a unit dearer than the last."""
    count = len(places)
    boxes = np.array([(x, y, 2.0, 1.0, 0.0) for x, y in places]).reshape(-1, 5)
    return Spots(
        point(key, 0, 0, **label),
        (key,),
        np.zeros(count, dtype=np.intp),
        boxes,
        np.array(cost or range(count), dtype=float),
        np.array(leaders or [NONE] * count, dtype=float).reshape(-1, 4),
    )


def test_the_first_in_order_takes_the_best() -> None:
    names = [option("b", (0, 0), (0, 5), priority=1), option("a", (0, 0), (9, 0), priority=0)]
    assert choose(names) == [1, 0]


def test_one_with_a_choice_gives_way_to_one_without() -> None:
    names = [option("a", (0, 0), (0, 5), priority=0), option("b", (0, 1), priority=5)]
    assert choose(names) == [1, 0]


def test_it_gives_way_only_if_that_is_cheap() -> None:
    """Priority 5 is worth 40 · 0.75⁵ = 9.5: a place 8 dearer is given up for it, not one of 12."""
    for cost, rows in ((8.0, [1, 0]), (12.0, [0, None])):
        names = [
            option("a", (0, 0), (0, 5), priority=0, cost=(0.0, cost)),
            option("b", (0, 1), priority=5),
        ]
        assert choose(names) == rows


def test_a_required_one_turns_out_another() -> None:
    names = [option("a", (0, 0), priority=0), option("b", (1, 0), priority=9, required=True)]
    assert choose(names) == [None, 0]


def test_of_two_required_ones_in_one_place_the_first_stays() -> None:
    names = [option(key, (0, 0), priority=n, required=True) for n, key in enumerate("ab")]
    assert choose(names) == [0, None]


def test_one_gives_way_to_two() -> None:
    """The wide one stands where both others would; its second place is as good as free."""
    names = [
        option("a", (2, 0), (2, 9), priority=0),
        option("b", (0, 0), priority=1, required=True),
        option("c", (4.5, 0), priority=1, required=True),
    ]
    assert choose(names) == [1, 0, 0]


def test_leaders_cross_neither_names_nor_each_other() -> None:
    through = option("a", (0, 20), leaders=((0, 19, 0, 0),))
    on_it, beside = (0.0, 10.0), (5.0, 10.0)
    assert choose([through, option("b", on_it, beside, priority=1)]) == [0, 1]
    crossing = option("c", (20, 5), (20, 30), leaders=((18, 5, -9, 5), (18, 30, 9, 30)), priority=1)
    assert choose([through, crossing]) == [0, 1]


def test_no_position_no_place() -> None:
    assert choose([option("a"), option("b", (0, 0), required=True)]) == [None, 0]
    assert choose([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_same_answer_in_any_order(seed: int) -> None:
    """Names are told apart by priority, room and key, not by where they stand in the list."""
    rng = np.random.default_rng(seed)
    names = [
        option(f"{n}", *map(tuple, rng.uniform(0, 15, (6, 2)).tolist()), priority=n % 3)
        for n in range(14)
    ]
    rows = choose(names)
    order = rng.permutation(len(names))
    mixed = choose([names[i] for i in order])
    assert [rows[i] for i in order] == mixed


def test_an_earlier_choice_is_gone_on_from() -> None:
    """The new one finds its best place taken; who has it has another that is as good as free."""
    names = [option("a", (0, 0), (0, 5)), option("b", (0, 1), required=True)]
    assert choose(names, [0, None]) == [1, 0]
    assert choose(names[:1], [1]) == [1]
