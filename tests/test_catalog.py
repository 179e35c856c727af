from __future__ import annotations

from pathlib import Path

import pytest

from urbangeo import catalog
from urbangeo.errors import UnknownNameError
from urbangeo.schemas import SCHEMAS

REGISTERED = {
    "province",
    "prefectures",
    "counties",
    "places",
    "towns",
    "network_nodes",
    "network_links",
}


def test_every_layer_says_what_it_must() -> None:
    table = catalog.layers()
    assert set(table["name"]) == REGISTERED
    assert list(table.columns)[:11] == [
        "name",
        "title_zh",
        "title_en",
        "geometry",
        "provider",
        "source",
        "licence",
        "vintage",
        "datum",
        "precision_m",
        "schema",
    ]
    texts = table.drop(columns="precision_m")
    assert (texts.map(len) > 0).all(axis=None)
    assert (table["precision_m"] > 0).all()
    assert set(table["schema"]) <= set(SCHEMAS)


def test_geonames_are_attributed_under_their_own_licence() -> None:
    towns = catalog.record("towns")
    assert towns.licence == "CC BY 4.0"
    assert "GeoNames" in towns.attribution


def test_the_table_is_the_callers_own() -> None:
    table = catalog.layers()
    table.loc[0, "name"] = "changed"
    assert "changed" not in set(catalog.layers()["name"])


def test_a_wrong_name_suggests_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean counties") as caught:
        catalog.record("county")
    assert caught.value.suggestions[0] == "counties"


def test_the_folder_holds_the_register() -> None:
    assert (catalog.data_folder() / "catalog.toml").is_file()


def test_a_faulty_register_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catalog.toml").write_text(
        '[region]\nadcode="1"\nname="a"\nname_en="a"\ngeonames_admin1="1"\n'
        '[region.prefectures]\n[layers.roads]\ntitle_zh="路"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(catalog, "data_folder", lambda: tmp_path)
    catalog._catalog.cache_clear()
    try:
        with pytest.raises(catalog.TableError, match="layer 'roads': missing fields"):
            catalog.layers()
    finally:
        catalog._catalog.cache_clear()
