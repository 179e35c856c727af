"""Chinese names of administrative units: how the full name yields the short ones."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["normalise", "short_name", "stem"]

# The 55 minority nationalities of the State's list (GB/T 3304), without 族.
# fmt: off
_NATIONALITIES = (
    "蒙古", "回", "藏", "维吾尔", "苗", "彝", "壮", "布依", "朝鲜", "满", "侗", "瑶", "白",
    "土家", "哈尼", "哈萨克", "傣", "黎", "傈僳", "佤", "畲", "高山", "拉祜", "水", "东乡",
    "纳西", "景颇", "柯尔克孜", "土", "达斡尔", "仫佬", "羌", "布朗", "撒拉", "毛南", "仡佬",
    "锡伯", "阿昌", "普米", "塔吉克", "怒", "乌孜别克", "俄罗斯", "鄂温克", "德昂", "保安",
    "裕固", "京", "塔塔尔", "独龙", "鄂伦春", "赫哲", "门巴", "珞巴", "基诺",
)
# fmt: on
# The place's own name is as short as the nationalities after it allow, so that 威宁彝族回族苗族
# gives 威宁; a township says 乡 without 自治.
_PEOPLES = "|".join(
    sorted((f"{name}族" for name in (*_NATIONALITIES, "各")), key=len, reverse=True)
)
_AUTONOMOUS = re.compile(rf"^(?P<place>.{{2,}}?)(?:{_PEOPLES})+(?:自治)?(?P<unit>[县州区旗乡])$")
_UNITS: dict[str, tuple[str, ...]] = {
    "division": ("特区", "林区", "新区", "省", "州", "市", "县", "区", "旗"),
    "town": ("街道办事处", "街道", "镇", "乡"),
    "station": ("火车站", "高铁站", "站"),
    "site": ("新区",),
}
_SPACE = re.compile(r"\s+")


def normalise(name: str) -> str:
    """Bring a typed name to the form in which names are compared.

    Full-width letters and parentheses become half-width (Unicode NFKC), white space
    goes, and the several middle dots become one.

    Examples
    --------
    >>> normalise(" 猫场（织金县） ")
    '猫场(织金县)'
    """
    text = _SPACE.sub("", unicodedata.normalize("NFKC", name))
    return re.sub("[・•‧．∙]", "·", text)


def short_name(name: str) -> str:
    """Drop the nationalities from an autonomous unit's name and keep its unit, as plans print it.

    Examples
    --------
    >>> short_name("镇宁布依族苗族自治县"), short_name("黔南布依族苗族自治州"), short_name("贵定县")
    ('镇宁县', '黔南州', '贵定县')
    """
    found = _AUTONOMOUS.match(name)
    return found["place"] + found["unit"] if found else name


def stem(name: str, kind: str = "division") -> str:
    """Drop the unit too, as people speak: 威宁, 织金, 茅台.

    A stem of one character (盘 of 盘县) names nothing; the name is then given back whole.

    Parameters
    ----------
    name
        Full or short name.
    kind
        ``"division"`` for province, prefecture and county, else the place's kind.

    Examples
    --------
    >>> stem("务川仡佬族苗族自治县"), stem("六枝特区"), stem("茅台镇", "town"), stem("盘县")
    ('务川', '六枝', '茅台', '盘县')
    """
    short = short_name(name)
    for unit in _UNITS.get(kind, ()):
        if short.endswith(unit) and len(short) - len(unit) >= 2:
            return short[: -len(unit)]
    return short
