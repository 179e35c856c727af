"""What the tests ask of real QGIS; run by the Python that QGIS belongs to, not imported by pytest.

``qgisdrawing.py probe`` prints the version. ``qgisdrawing.py layers GPKG FOLDER`` opens every layer
of a GeoPackage and draws it. ``qgisdrawing.py project QGS FOLDER DPI`` opens a project and draws
each of its maps. Answers are JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (  # type: ignore[import-not-found]
    Qgis,
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsExpression,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsNullSymbolRenderer,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor, QFontDatabase  # type: ignore[import-not-found]

MESSAGES: list[str] = []


def drawn(layers: list[Any], settings: QgsMapSettings, path: Path) -> dict[str, Any]:
    """Draw layers, the first on top; tell how many pixels are not ground, and of which colours."""
    settings.setLayers(layers)
    context = settings.expressionContext()
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    ground = settings.backgroundColor().rgba()
    marked = sum(
        image.pixel(x, y) != ground
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    )
    errors = [f"{one.layerID}: {one.message}" for one in job.errors()]
    return {"marked": marked, "errors": errors, "scale": settings.scale()}


def layers(package: Path, folder: Path) -> dict[str, Any]:
    """Open each layer as a colleague does, with the style that the GeoPackage gives it."""
    with sqlite3.connect(package) as base:
        names = [row[0] for row in base.execute(
            "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY rowid"
        )]  # fmt: skip
        styles = base.execute("SELECT f_table_name, styleName FROM layer_styles").fetchall()
    found = {}
    for name in names:
        layer = QgsVectorLayer(f"{package}|layername={name}", name, "ogr")
        renderer = layer.renderer()
        kind = type(renderer).__name__
        answer = {"valid": layer.isValid(), "renderer": kind, "features": layer.featureCount()}
        if isinstance(renderer, QgsCategorizedSymbolRenderer):
            counted = {}
            for category in renderer.categories():
                words = QgsExpression.quotedString(category.value())
                request = QgsFeatureRequest().setFilterExpression(f'"class" = {words}')
                counted[category.value()] = sum(1 for _ in layer.getFeatures(request))
            answer["categories"] = counted
        answer["named"] = bool(layer.labelsEnabled())
        count, _, titles, *_ = layer.listStylesInDatabase()
        answer["styles"] = sorted(titles[:count])
        settings = QgsMapSettings()
        settings.setDestinationCrs(layer.crs())
        box = layer.extent()
        box.grow(0.05 + 0.05 * max(box.width(), box.height()))
        settings.setExtent(box)
        settings.setOutputSize(QSize(500, 400))
        settings.setBackgroundColor(QColor("#FF00FF"))
        answer |= drawn([layer], settings, folder / f"{name}.png")
        answer["known"] = isinstance(
            renderer, QgsCategorizedSymbolRenderer | QgsSingleSymbolRenderer | QgsNullSymbolRenderer
        )
        found[name] = answer
    return {"layers": found, "styles": len(styles), "messages": MESSAGES}


def project(path: Path, folder: Path, dpi: float) -> dict[str, Any]:
    """Open a project and draw each map: its group of layers in the window of its bookmark."""
    opened = QgsProject.instance()
    read = opened.read(str(path))
    marks = {one.name(): one for one in opened.bookmarkManager().bookmarks()}
    answer: dict[str, Any] = {"read": read, "crs": opened.crs().toProj(), "maps": {}}
    answer["count"] = opened.count()
    answer["invalid"] = [one.name() for one in opened.mapLayers().values() if not one.isValid()]
    groups = [
        group
        for group in opened.layerTreeRoot().findGroups(True)
        if group.customProperty("urbangeo/name")
    ]
    for number, group in enumerate(groups):
        shown = [node.layer() for node in group.findLayers()]
        name = group.customProperty("urbangeo/name")
        extent = marks[name].extent()
        settings = QgsMapSettings()
        settings.setDestinationCrs(extent.crs())
        settings.setExtent(extent)
        settings.setOutputDpi(dpi)
        per_mm = float(group.customProperty("urbangeo/scale")) / 1000
        size = QSize(
            round(extent.width() / per_mm * dpi / 25.4),
            round(extent.height() / per_mm * dpi / 25.4),
        )
        settings.setOutputSize(size)
        settings.setBackgroundColor(opened.backgroundColor())
        about = drawn(shown, settings, folder / f"map-{number}.png")
        about |= {"layers": [one.name() for one in shown], "visible": group.isVisible()}
        answer["maps"][name] = about
    answer["themes"] = opened.mapThemeCollection().mapThemes()
    answer["layouts"] = {}
    for number, layout in enumerate(opened.layoutManager().layouts()):
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = dpi
        picture = folder / f"layout-{number}.png"
        status = QgsLayoutExporter(layout).exportToImage(str(picture), settings)
        shown = layout.referenceMap()
        answer["layouts"][layout.name()] = {
            "status": int(status),
            "scale": shown.scale(),
            "theme": shown.followVisibilityPresetName(),
        }
    answer["messages"] = MESSAGES
    return answer


def main(arguments: list[str]) -> None:
    """Answer one question."""
    app = QgsApplication([], False)
    app.initQgis()
    for font in filter(None, os.environ.get("URBANGEO_FONTS", "").split(os.pathsep)):
        QFontDatabase.addApplicationFont(font)
    QgsApplication.messageLog().messageReceived.connect(
        lambda text, tag, level: MESSAGES.append(f"{tag} ({int(level)}): {text}")
    )
    if arguments[0] == "probe":
        answer: dict[str, Any] = {"version": Qgis.QGIS_VERSION}
    elif arguments[0] == "layers":
        answer = layers(Path(arguments[1]), Path(arguments[2]))
    else:
        answer = project(Path(arguments[1]), Path(arguments[2]), float(arguments[3]))
    sys.stdout.write(json.dumps(answer, ensure_ascii=False))
    sys.stdout.flush()
    QgsProject.instance().clear()
    app.exitQgis()


if __name__ == "__main__":
    main(sys.argv[1:])
