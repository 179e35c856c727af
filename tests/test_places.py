from __future__ import annotations

import dataclasses

import pytest

from urbangeo.errors import AmbiguousNameError, InputError, UnknownNameError
from urbangeo.layer import load
from urbangeo.places import Place, _Gazetteer, place, places


def a_place(name: str, kind: str = "town", county: str = "织金县", adcode: str = "520524") -> Place:
    return Place(name, kind, county, adcode, 105.8, 26.7, 500, "test")


# The bundled gazetteer ----------------------------------------------------------------------------


def test_every_point_lies_in_the_county_that_its_row_says() -> None:
    counties = load("counties").rename(columns={"adcode": "found", "name": "found_name"})
    joined = places().sjoin(counties[["found", "found_name", "geometry"]], how="left")
    wrong = joined[
        (joined["adcode"] != joined["found"]) | (joined["county"] != joined["found_name"])
    ]
    assert wrong[["name", "county", "found_name"]].to_dict("records") == []
    assert len(joined) == len(places())


def test_every_county_has_its_seat_and_every_prefecture_too() -> None:
    counties = load("counties")
    seats = places(kinds="county_seat")
    assert sorted(seats["adcode"]) == counties["adcode"].tolist()
    assert (seats["name"] == seats["county"]).all()
    prefectures = load("prefectures").set_index("adcode")["name"]
    held = places(kinds="prefecture_seat")
    assert dict(zip(held["adcode"].str[:4] + "00", held["name"], strict=True)) == dict(prefectures)


def test_every_row_says_how_exact_it_is_and_whence() -> None:
    frame = places()
    assert (frame["precision_m"] > 0).all()
    assert (frame["source"].str.len() > 0).all()


def meanings(name: str) -> list[str]:
    """Give the labels of all places that a name may mean."""
    try:
        return [place(name).label]
    except AmbiguousNameError as error:
        return error.candidates


def test_every_row_is_found_again() -> None:
    for row in places().itertuples():
        label = f"{row.name}（{row.county}）"
        assert place(label).label == label
        assert place(row.name, county=row.county).label == label
        assert label in meanings(row.name)


def test_every_alias_finds_its_place_unless_it_is_a_current_name_of_another() -> None:
    frame = places()
    current = set(frame["name"])
    for row in frame.itertuples():
        for alias in filter(None, row.aliases.split(";")):
            assert place(alias, county=row.county).name == row.name
            if alias not in current - {row.name}:
                assert f"{row.name}（{row.county}）" in meanings(alias)


@pytest.mark.parametrize("name", ["温泉", "朱昌", "龙场", "牛场", "猫场"])
def test_towns_whose_names_repeat_are_ambiguous_and_their_candidates_usable(name: str) -> None:
    with pytest.raises(AmbiguousNameError) as caught:
        place(name)
    found = [place(candidate) for candidate in caught.value.candidates]
    assert len({each.adcode for each in found}) == len(found) >= 2
    assert all(name in each.name for each in found)


@pytest.mark.parametrize(
    ("name", "expected", "county"),
    [
        ("威宁", "威宁彝族回族苗族自治县", "威宁彝族回族苗族自治县"),
        ("威宁县", "威宁彝族回族苗族自治县", "威宁彝族回族苗族自治县"),
        ("务川", "务川仡佬族苗族自治县", "务川仡佬族苗族自治县"),
        ("织金", "织金县", "织金县"),
        ("六枝", "六枝特区", "六枝特区"),
        ("黔西县", "黔西市", "黔西市"),
        ("黔西", "黔西市", "黔西市"),
        ("平坝县", "平坝区", "平坝区"),
        ("盘县", "盘州市", "盘州市"),
        ("遵义县", "播州区", "播州区"),
        ("毕节市", "毕节市", "七星关区"),
        ("毕节", "毕节市", "七星关区"),
        ("贵阳", "贵阳市", "观山湖区"),
        ("贵阳市白云区", "白云区", "白云区"),
        ("黔南州", "黔南布依族苗族自治州", "都匀市"),
        ("黔南", "黔南布依族苗族自治州", "都匀市"),
        ("贵安", "贵安新区", "花溪区"),
        ("茅台", "茅台", "仁怀市"),
        ("茅台镇", "茅台", "仁怀市"),
        ("遵义市仁怀市茅台镇", "茅台", "仁怀市"),
        ("织金县猫场", "猫场", "织金县"),
        ("织金·猫场", "猫场", "织金县"),
        ("毕节市织金县猫场镇", "猫场", "织金县"),
        ("猫场(织金县)", "猫场", "织金县"),
        (" 猫场 （ 织金 ）", "猫场", "织金县"),
    ],
)
def test_names_as_people_write_them(name: str, expected: str, county: str) -> None:
    found = place(name)
    assert (found.name, found.county) == (expected, county)


def test_county_and_kind_narrow_the_search() -> None:
    assert place("猫场", county="大方").adcode == "520521"
    assert place("猫场", county="520524").county == "织金县"
    assert place("贵阳龙洞堡国际机场", kind="airport").county == "南明区"
    assert place("遵义", kind="prefecture_seat").name == "遵义市"
    with pytest.raises(UnknownNameError):
        place("遵义", kind="county_seat", county="红花岗区")


def test_unknown_names_suggest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 贵阳市"):
        place("贵陽市")
    with pytest.raises(UnknownNameError, match="place in 织金县 '茅台'"):
        place("茅台", county="织金县")
    with pytest.raises(UnknownNameError, match="county '织锦县'"):
        place("猫场", county="织锦县")
    with pytest.raises(UnknownNameError, match="kind of place 'city'"):
        place("贵阳", kind="city")


@pytest.mark.parametrize("name", ["", "  ", None, 5])
def test_what_is_no_name(name: object) -> None:
    with pytest.raises(InputError, match="Expected the name of a place"):
        place(name)  # type: ignore[arg-type]


def test_a_place_is_given_back() -> None:
    one = a_place("猫场")
    assert place(one) is one


def test_a_place_knows_its_point_and_id() -> None:
    one = a_place("猫场")
    assert (one.point.x, one.point.y) == (105.8, 26.7)
    assert one.id == "P-520524-猫场"
    assert one.label == "猫场（织金县）"
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.lon = 0  # type: ignore[misc]


def test_lists_are_cut_by_extent_and_kind() -> None:
    seats = places(extent="qianzhong", kinds=["county_seat"])
    assert len(seats) == 33
    assert set(seats["kind"]) == {"county_seat"}
    assert list(seats.index) == list(range(33))
    with pytest.raises(UnknownNameError, match="kind of place"):
        places(kinds="city")


# The rules, on gazetteers of a few places ---------------------------------------------------------


def find(gazetteer: _Gazetteer, name: str) -> list[str]:
    return [found.label for found in gazetteer.find(name, gazetteer.everything, None)]


def test_a_current_name_goes_before_a_former_one() -> None:
    gazetteer = _Gazetteer(
        [
            (a_place("播州区", "county_seat", "播州区", "520304"), ["遵义县", "团溪"]),
            (a_place("团溪", "town", "汇川区", "520303"), []),
        ]
    )
    assert find(gazetteer, "遵义县") == ["播州区（播州区）"]
    assert find(gazetteer, "团溪") == ["团溪（汇川区）"]


def test_a_seat_goes_before_a_town_of_that_name() -> None:
    gazetteer = _Gazetteer(
        [
            (a_place("大方", "town", "大方县", "520521"), []),
            (a_place("大方县", "county_seat", "大方县", "520521"), []),
        ]
    )
    assert find(gazetteer, "大方") == ["大方县（大方县）"]
    assert find(gazetteer, "大方(大方县)") == ["大方（大方县）"]


def test_town_and_bare_name_are_one_name() -> None:
    gazetteer = _Gazetteer(
        [
            (a_place("龙场镇", "town", "修文县", "520123"), []),
            (a_place("龙场", "town", "凯里市", "522601"), []),
        ]
    )
    assert find(gazetteer, "龙场") == ["龙场镇（修文县）", "龙场（凯里市）"]
    # Written with its unit it is the one that the gazetteer writes so.
    assert find(gazetteer, "龙场镇") == ["龙场镇（修文县）"]
    # 凯里's is found under a unit that the gazetteer does not know.
    assert find(gazetteer, "凯里市龙场镇") == ["龙场（凯里市）"]


def test_a_name_that_begins_like_a_county_is_read_whole_first() -> None:
    gazetteer = _Gazetteer(
        [
            (a_place("织金县", "county_seat"), []),
            (a_place("织金洞", "site"), []),
            (a_place("洞", "site"), []),
        ]
    )
    assert find(gazetteer, "织金洞") == ["织金洞（织金县）"]


def test_nothing_is_found_by_a_county_alone_or_by_half_a_name() -> None:
    gazetteer = _Gazetteer([(a_place("猫场"), [])])
    assert find(gazetteer, "织金县") == []
    assert find(gazetteer, "猫") == []
    assert find(gazetteer, "大方县猫场") == []
