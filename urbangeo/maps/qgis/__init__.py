"""Maps for QGIS: a figure's layers as tables, their styles, a GeoPackage and a project."""

from urbangeo.maps.qgis.exporting import export_figure
from urbangeo.maps.qgis.geopackage import write_geopackage
from urbangeo.maps.qgis.project import write_project, write_qgis
from urbangeo.maps.qgis.records import ExportMap

__all__ = ["ExportMap", "export_figure", "write_geopackage", "write_project", "write_qgis"]
