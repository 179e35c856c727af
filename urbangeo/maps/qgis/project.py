"""A QGIS project that shows the maps of the atlas: for each a group of layers, a window, a sheet.

Layers stand in drawing order, boundaries at their place among them; one map is shown at a time. A
bookmark leads to each map's window, a theme switches its layers on, and a print layout has paper,
scale and frame of the sheet. Paths are relative, so that project and GeoPackage can move together.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from urbangeo.crs import WGS84
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.maps.qgis.geopackage import table_names, write_geopackage
from urbangeo.maps.qgis.layout import layout
from urbangeo.maps.qgis.records import ascii_name
from urbangeo.maps.qgis.style import style_elements
from urbangeo.maps.qgis.xml import (
    VERSION,
    document,
    element,
    options,
    spatial_reference,
    text_element,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from urbangeo.maps.qgis.records import ExportLayer, ExportMap

__all__ = ["map_names", "write_project", "write_qgis"]

_GEOMETRIES = {"point": "Point", "line": "Line", "area": "Polygon"}
_TYPES = {"point": "Point", "line": "MultiLineString", "area": "MultiPolygon"}


def write_qgis(
    maps: Sequence[ExportMap], folder: str | os.PathLike[str], name: str = "atlas"
) -> list[Path]:
    """Write all that QGIS needs of some maps into a folder.

    Returns
    -------
    list of pathlib.Path
        ``<name>.gpkg``, ``<name>.qgs``, then the styles in ``<name>-styles``.

    Raises
    ------
    InputError
        If there is nothing to write.
    OutputError
        If a file cannot be written.
    """
    package, *styles = write_geopackage(maps, Path(folder) / f"{name}.gpkg")
    return [package, write_project(maps, Path(folder) / f"{name}.qgs", package), *styles]


def write_project(
    maps: Sequence[ExportMap],
    path: str | os.PathLike[str],
    geopackage: str | os.PathLike[str],
    *,
    title: str = "urbangeo 图集",
) -> Path:
    """Write a QGIS project over a GeoPackage of the same maps.

    Parameters
    ----------
    maps
        As they were given to :func:`urbangeo.maps.qgis.geopackage.write_geopackage`.
    path
        The file, ``.qgs``; replaced whole or not at all.
    geopackage
        Where the tables are.

    Raises
    ------
    InputError
        If there is no map.
    OutputError
        If the file cannot be written.
    """
    if not maps:
        raise InputError("There is no map, so there is no project to write.")
    target = Path(path)
    source = Path(os.path.relpath(geopackage, target.parent)).as_posix()
    source = source if source.startswith("..") else f"./{source}"
    # Layers are told apart by identity; one that two maps hold stands in the project twice.
    own = [replace(one, layers=tuple(replace(layer) for layer in one.layers)) for one in maps]
    with writing(target) as draft:
        text = document(_project(own, source, title))
        draft.write_text(text, encoding="utf-8", newline="\n")
    return target


def _project(maps: Sequence[ExportMap], source: str, title: str) -> Element:
    tables = table_names(maps)
    ids = {id(layer): _id(one, layer, row) for one in maps for row, layer in enumerate(one.layers)}
    first = maps[0]
    root = element("qgis", {"projectname": title, "version": VERSION}, text_element("title", title))
    root.append(element("projectCrs", None, spatial_reference(first.crs)))
    names = map_names(maps)
    tree = element("layer-tree-group", _ONE_AT_A_TIME)
    # Maps of one plan stand under its title.
    plans: dict[str, Element] = {}
    for one in maps:
        if one.heading and one.heading not in plans:
            plan = {"name": one.heading, **_shown(yes=one is first), **_ONE_AT_A_TIME}
            plans[one.heading] = element("layer-tree-group", plan)
            tree.append(plans[one.heading])
        above = plans.get(one.heading, tree)
        above.append(_group(one, names[id(one)], ids, tables, source, shown=not len(above)))
    root.append(tree)
    root.append(_canvas(first))
    layers = element("projectlayers")
    for one in maps:
        for layer in one.layers:
            layers.append(_map_layer(one, layer, ids[id(layer)], tables[id(layer)], source))
    root.append(layers)
    order = element("layerorder")
    for one in maps:
        order.extend(element("layer", {"id": ids[id(layer)]}) for layer in reversed(one.layers))
    root.append(order)
    root.append(_properties(first))
    root.append(_themes(maps, names, ids))
    root.append(element("Bookmarks", None, *(_bookmark(one, names[id(one)]) for one in maps)))
    sheets: dict[str, list[ExportMap]] = {}
    for one in maps:
        sheets.setdefault(one.figure, []).append(one)
    titles = distinct([(f"{one.heading} {one.title}", one.figure) for one, *_ in sheets.values()])
    layouts = [
        layout(sheet, title, names, ids)
        for sheet, title in zip(sheets.values(), titles, strict=True)
    ]
    root.append(element("Layouts", None, *layouts))
    about = [text_element("title", title), text_element("abstract", _abstract(maps))]
    root.append(element("projectMetadata", None, *about))
    return root


def _id(one: ExportMap, layer: ExportLayer, row: int) -> str:
    return f"{ascii_name(one.key)}__{row:02d}_{layer.table}"


def _abstract(maps: Sequence[ExportMap]) -> str:
    told = ("数据", "许可")
    words: dict[str, None] = {}
    for one in maps:
        for layer in one.layers:
            about = layer.provenance
            for name, texts in zip(told, (about.attributions, about.licences), strict=True):
                words |= dict.fromkeys(f"{name}：{text}" for text in texts)
    return "\n".join(words)


# The layer tree -----------------------------------------------------------------------------------


_ONE_AT_A_TIME = {"mutually-exclusive": 1, "mutually-exclusive-child": 0}


def map_names(maps: Sequence[ExportMap]) -> dict[int, str]:
    """Give each map a name of its own, by its ``id``: themes and bookmarks are found by it."""
    names = distinct([(f"{one.heading} {one.name}", one.key) for one in maps])
    return dict(zip(map(id, maps), names, strict=True))


def distinct(names: Sequence[tuple[str, str]]) -> list[str]:
    """Give names of which none repeats; one that would gets its key."""
    taken: set[str] = set()
    found = []
    for text, key in names:
        name = text.strip()
        name = f"{name} [{key}]" if name in taken else name
        taken.add(name)
        found.append(name)
    return found


def _shown(*, yes: bool) -> dict[str, object]:
    return {"checked": "Qt::Checked" if yes else "Qt::Unchecked", "expanded": yes}


def _group(
    one: ExportMap,
    name: str,
    ids: dict[int, str],
    tables: dict[int, str],
    source: str,
    *,
    shown: bool,
) -> Element:
    about: dict[str, object] = {"urbangeo/scale": f"{one.scale:g}", "urbangeo/name": name}
    group = element(
        "layer-tree-group",
        {"name": one.name, **_shown(yes=shown)},
        element("customproperties", None, options(about)),
    )
    for layer in reversed(one.layers):
        shape = {
            "id": ids[id(layer)],
            "name": layer.title,
            "source": _source(source, tables[id(layer)]),
            "providerKey": "ogr",
            "checked": "Qt::Checked",
            "expanded": len(layer.classes) > 1,
        }
        group.append(element("layer-tree-layer", shape))
    return group


def _source(source: str, table: str) -> str:
    return f"{source}|layername={table}"


def _canvas(one: ExportMap) -> Element:
    return element(
        "mapcanvas",
        {"name": "theMapCanvas", "annotationsVisible": 1},
        text_element("units", "meters"),
        _box("extent", one.window),
        text_element("rotation", "0"),
        element("destinationsrs", None, spatial_reference(one.crs)),
    )


def _box(tag: str, box: tuple[float, float, float, float]) -> Element:
    names = ("xmin", "ymin", "xmax", "ymax")
    inner = [text_element(name, f"{value:.9g}") for name, value in zip(names, box, strict=True)]
    return element(tag, None, *inner)


def _map_layer(
    one: ExportMap, layer: ExportLayer, identity: str, table: str, source: str
) -> Element:
    bounds = tuple(layer.frame.total_bounds.tolist())
    words = layer.provenance
    about = element(
        "resourceMetadata",
        None,
        text_element("identifier", table),
        text_element("language", "zh"),
        text_element("type", "dataset"),
        text_element("title", f"{one.name}：{layer.title}"),
        text_element("abstract", words.words()),
        *(text_element("rights", text) for text in words.attributions),
        *(text_element("license", text) for text in words.licences),
        element("crs", None, spatial_reference(WGS84)),
    )
    return element(
        "maplayer",
        {
            "type": "vector",
            "geometry": _GEOMETRIES[layer.kind],
            "wkbType": _TYPES[layer.kind],
            "labelsEnabled": any(single.names for single in layer.classes),
            "readOnly": 0,
            "styleCategories": "AllStyleCategories",
            # Thinned lines would leave the sheet's.
            "simplifyDrawingHints": 0,
        },
        _box("extent", bounds),
        text_element("id", identity),
        text_element("datasource", _source(source, table)),
        text_element("layername", layer.title),
        text_element("attribution", "；".join(words.attributions)),
        element("srs", None, spatial_reference(WGS84)),
        about,
        text_element("provider", "ogr", {"encoding": "UTF-8"}),
        *style_elements(layer, one.scale),
    )


# Around the layers --------------------------------------------------------------------------------


def _properties(one: ExportMap) -> Element:
    red, green, blue = (int(one.ground[i : i + 2], 16) for i in (1, 3, 5))
    gui = [
        text_element(f"CanvasColor{name}Part", str(value), {"type": "int"})
        for name, value in (("Red", red), ("Green", green), ("Blue", blue))
    ]
    labels = [
        text_element("PlacementEngineVersion", "1", {"type": "int"}),
        text_element("ShowingPartialsLabels", "false", {"type": "bool"}),
        text_element("DrawUnplaced", "false", {"type": "bool"}),
    ]
    return element(
        "properties",
        None,
        element("Gui", None, *gui),
        element("PAL", None, *labels),
        element("Paths", None, text_element("Absolute", "false", {"type": "bool"})),
        element("SpatialRefSys", None, text_element("ProjectionsEnabled", "1", {"type": "int"})),
    )


def _themes(maps: Sequence[ExportMap], names: dict[int, str], ids: dict[int, str]) -> Element:
    themes = element("visibility-presets")
    for one in maps:
        theme = element(
            "visibility-preset",
            {"name": names[id(one)], "has-checked-group-info": 1, "has-expanded-info": 0},
        )
        for layer in one.layers:
            about = {"id": ids[id(layer)], "visible": 1, "style": "default", "expanded": 0}
            theme.append(element("layer", about))
        # A group is known by its path.
        paths = [one.heading, f"{one.heading}/{one.name}"] if one.heading else [one.name]
        groups = [element("checked-group-node", {"id": path}) for path in paths]
        theme.append(element("checked-group-nodes", None, *groups))
        themes.append(theme)
    return themes


def _bookmark(one: ExportMap, name: str) -> Element:
    west, south, east, north = (f"{value:.9g}" for value in one.window)
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    ring = ", ".join(" ".join(corner) for corner in corners)
    about = {
        "id": f"{{{uuid5(NAMESPACE_URL, f'urbangeo:{one.key}')}}}",
        "name": name,
        "group": one.heading or "urbangeo",
        "extent": f"POLYGON(({ring}))",
    }
    return element("Bookmark", about, spatial_reference(one.crs))
