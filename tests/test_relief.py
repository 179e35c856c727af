"""Hillshade: planes and a cone, whose light follows from Lambert's cosine on paper."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from rasterio.transform import Affine, from_origin

from urbangeo.crs import equal_area
from urbangeo.errors import CRSError, InputError
from urbangeo.maps import relief
from urbangeo.maps.printing import save
from urbangeo.maps.relief import Relief, add_relief, gradient, hillshade, relief_note
from urbangeo.maps.sheet import Sheet, new_sheet
from urbangeo.maps.style import settings

CRS = equal_area((105.5, 26.5, 106.5, 27.5))  # centred on 106 E, 27 N
Height = Callable[[np.ndarray, np.ndarray], np.ndarray]
HALF = 2000.0  # at 1:50 000 the frame is 14 km wide


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def sheet() -> Sheet:
    return new_sheet((-HALF, -HALF, HALF, HALF), CRS)


def raster(
    path: Path,
    height: Height,
    *,
    crs: Any = CRS,
    transform: Affine | None = None,
    size: tuple[int, int] = (600, 800),
    dtype: str = "float32",
    **more: Any,
) -> Path:
    """Write heights at the middles of cells; by default 100 m wide, far beyond the map."""
    rows, columns = size
    placed = from_origin(-columns * 50.0, rows * 50.0, 100.0, 100.0)
    placed = transform or placed
    column, row = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    x = placed.a * column + placed.b * row + placed.c
    y = placed.d * column + placed.e * row + placed.f
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype=dtype,
        crs=None if crs is None else rasterio.CRS.from_user_input(getattr(crs, "srs", crs)),
        transform=placed, **more,
    ) as file:  # fmt: skip
        file.write(height(x, y).astype(dtype), 1)
    return path


def to_east(slope: float) -> Height:
    return lambda x, y: 3000 + slope * x


def picture(drawn: Relief) -> np.ndarray:
    return np.asarray(drawn.image.get_array())


def middle(drawn: Relief) -> tuple[int, int]:
    """Tone and opacity of the picture's middle."""
    made = picture(drawn)
    cell = made[made.shape[0] // 2, made.shape[1] // 2]
    return int(cell[0]), int(cell[3])


def full(value: float) -> np.ndarray:
    return np.full((1, 1), value, dtype=np.float32)


# Light --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("azimuth", "expected"),
    [
        # Rise of 0.5 to the east: the normal is (-0.5, 0, 1) / sqrt(1.25).
        (270.0, 1.5 / math.sqrt(2) / math.sqrt(1.25)),  # lit from the west: 3 / sqrt(10)
        (90.0, 0.5 / math.sqrt(2) / math.sqrt(1.25)),  # from the east: 1 / sqrt(10)
        (0.0, 1 / math.sqrt(2) / math.sqrt(1.25)),  # along the slope
    ],
)
def test_a_plane_under_one_light(azimuth: float, expected: float) -> None:
    light = hillshade(full(0.5), full(0.0), azimuth=azimuth)
    assert float(light[0, 0]) == pytest.approx(expected, rel=1e-6)


def test_a_plane_under_four_lights() -> None:
    """Facing west: weights 1/2, 0, 1/2, 1; the lights at 225 and 315 fall alike."""
    slant = 0.5 / math.sqrt(2)
    oblique = (0.5 + math.sqrt(3) / 2 * slant) / math.sqrt(1.25)
    along = 0.5 / math.sqrt(1.25)
    expected = (0.5 * oblique + 0.5 * oblique + along) / 2
    light = hillshade(full(0.5), full(0.0))
    assert float(light[0, 0]) == pytest.approx(expected, rel=1e-6)


def test_what_faces_away_is_dark_and_flat_ground_is_not_drawn() -> None:
    assert float(hillshade(full(2.0), full(0.0), azimuth=90.0)[0, 0]) == 0
    assert float(hillshade(full(0.0), full(0.0))[0, 0]) == pytest.approx(0.5)
    assert float(hillshade(full(0.0), full(0.0), azimuth=10.0)[0, 0]) == pytest.approx(0.5**0.5)


def test_slopes_of_a_plane_are_those_of_the_plane() -> None:
    y, x = np.mgrid[0:6, 0:9]
    # Rows run downwards: what rises to the top falls along the rows.
    grid = (0.3 * 50 * x - 0.2 * 20 * y).astype(np.float32)
    right, up = gradient(grid, (50.0, 20.0))
    assert right.shape == up.shape == (4, 7)
    assert right == pytest.approx(np.full((4, 7), 0.3), abs=1e-5)
    assert up == pytest.approx(np.full((4, 7), 0.2), abs=1e-5)


def test_horn_weighs_the_cells_beside_twice() -> None:
    """A single cell of 8 m to the right of the middle, cells of 1 m: 2 x 8 / 8."""
    grid = np.zeros((3, 3), dtype=np.float32)
    grid[1, 2] = 8
    right, up = gradient(grid, (1.0, 1.0))
    assert (float(right[0, 0]), float(up[0, 0])) == (2.0, 0.0)
    grid[1, 2], grid[0, 2] = 0, 8
    right, up = gradient(grid, (1.0, 1.0))
    assert (float(right[0, 0]), float(up[0, 0])) == (1.0, 1.0)


# On the map ---------------------------------------------------------------------------------------


def test_a_plane_on_the_map(tmp_path: Path) -> None:
    dem = raster(tmp_path / "plane.tif", to_east(0.5))
    made = sheet()
    limits = made.map.get_xlim(), made.map.get_ylim()
    lit = add_relief(made.map, dem, CRS, exaggeration=1, azimuth=270, opacity=0.4)
    flat, light = 0.5**0.5, 3 / math.sqrt(10)
    assert middle(lit) == (255, round(255 * 0.4 * (light - flat) / (1 - flat)))
    dark = add_relief(made.map, dem, CRS, exaggeration=1, azimuth=90, opacity=0.4)
    assert middle(dark) == (0, round(255 * 0.4 * (flat - 1 / math.sqrt(10)) / flat))
    # Everywhere alike, and the map is where it was.
    assert np.ptp(picture(lit)[..., 3].astype(int)) <= 1
    assert (made.map.get_xlim(), made.map.get_ylim()) == limits
    assert lit.share == 1
    assert lit.name in relief_note(dem)


def test_degrees_are_metres_on_the_map(tmp_path: Path) -> None:
    """A plane over longitude: a degree at 27 N is 99 257 m on the ellipsoid."""
    dem = raster(
        tmp_path / "degrees.tif",
        lambda lon, lat: 3000 + 0.5 * 99_257.0 * (lon - 106),
        crs="EPSG:4326",
        transform=from_origin(105.5, 27.4, 0.001, 0.001),
        size=(800, 1000),
    )
    drawn = add_relief(sheet().map, dem, CRS, exaggeration=1, azimuth=270)
    flat, light = 0.5**0.5, 3 / math.sqrt(10)
    assert middle(drawn)[1] == pytest.approx(255 * 0.4 * (light - flat) / (1 - flat), abs=1.5)


@pytest.mark.parametrize("metres", [20.0, 200.0])
def test_a_cone_is_lit_towards_the_light(tmp_path: Path, metres: float) -> None:
    """Finer than the picture or coarser: light in the north-west, dark in the south-east."""
    count = int(20_000 / metres)
    dem = raster(
        tmp_path / "cone.tif",
        lambda x, y: 5000 - 0.3 * np.hypot(x, y),
        transform=from_origin(-count / 2 * metres, count / 2 * metres, metres, metres),
        size=(count, count),
    )
    drawn = add_relief(sheet().map, dem, CRS, exaggeration=1, azimuth=315, dpi=25.4)
    made = picture(drawn).astype(int)
    west, east, south, north = drawn.image.get_extent()

    def tone(x: float, y: float) -> tuple[int, int]:
        row = int((north - y) / (north - south) * made.shape[0])
        column = int((x - west) / (east - west) * made.shape[1])
        return int(made[row, column, 0]), int(made[row, column, 3])

    off = 2500.0
    flat, length = 0.5**0.5, math.sqrt(1.09)
    lit, away = flat * 1.3 / length, flat * 0.7 / length
    assert tone(-off, off) == (255, pytest.approx(102 * (lit - flat) / (1 - flat), abs=2))
    assert tone(off, -off) == (0, pytest.approx(102 * (flat - away) / flat, abs=2))
    # Across the light only the steepness dims.
    assert tone(off, off) == (0, pytest.approx(102 * (1 - 1 / length), abs=2))


@pytest.mark.parametrize(("slope", "factor"), [(0.2, 5.0), (0.01, 10.0), (2.0, 1.0), (0.0, 10.0)])
def test_heights_are_exaggerated_until_slopes_are_seen(
    tmp_path: Path, slope: float, factor: float
) -> None:
    # Ridges 2 km apart, whose sides have the slope.
    dem = raster(tmp_path / "ridges.tif", lambda x, y: 500 + slope * np.abs(x % 2000 - 1000))
    drawn = add_relief(sheet().map, dem, CRS, dpi=60)
    assert drawn.exaggeration == pytest.approx(factor, rel=1e-2)


def test_nodata_is_transparent_and_counted(tmp_path: Path) -> None:
    def half(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(x < 0, -32768, 1000 + 0.3 * x)

    dem = raster(tmp_path / "half.tif", half, dtype="int16", nodata=-32768)
    drawn = add_relief(sheet().map, dem, CRS, dpi=100)
    made = picture(drawn)
    west, east, *_ = drawn.image.get_extent()
    middle_column = int(-west / (east - west) * made.shape[1])
    assert not made[:, : middle_column - 1, 3].any()
    assert made[:, middle_column + 3 : -1, 3].all()
    assert drawn.share == pytest.approx(east / (east - west), abs=0.01)


def test_a_fine_model_is_averaged_not_picked_from(tmp_path: Path) -> None:
    """Cells of 10 m that go up and down by 20 m are flat on a map whose cells are 63 m."""
    dem = raster(
        tmp_path / "rough.tif",
        lambda x, y: 1000 + 20 * (-1.0) ** (np.floor(x / 10) + np.floor(y / 10)),
        transform=from_origin(-10_000, 10_000, 10, 10),
        size=(2000, 2000),
        dtype="int16",
    )
    drawn = add_relief(sheet().map, dem, CRS, exaggeration=1, dpi=20)
    assert picture(drawn)[..., 3].max() <= 8


def test_no_more_is_read_than_the_picture_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dem = raster(
        tmp_path / "wide.tif",
        to_east(0.1),
        transform=from_origin(-15_000, 15_000, 10, 10),
        size=(3000, 3000),
    )
    asked: list[tuple[Any, tuple[int, int]]] = []
    read = relief.heights

    def watched(file: Any, window: Any, **options: Any) -> Any:
        asked.append((window, options["out_shape"]))
        return read(file, window, **options)

    monkeypatch.setattr(relief, "heights", watched)
    made = sheet()
    drawn = add_relief(made.map, dem, CRS, dpi=30)
    ((window, shape),) = asked
    (west, east), (south, north) = made.map.get_xlim(), made.map.get_ylim()
    assert window.width == pytest.approx((east - west) / 10, abs=40)
    assert window.height == pytest.approx((north - south) / 10, abs=40)
    rows, columns, _ = picture(drawn).shape
    assert shape[0] <= rows + 12
    assert shape[1] <= columns + 12


def test_resolution_is_bounded(tmp_path: Path) -> None:
    dem = raster(tmp_path / "plane.tif", to_east(0.1))
    made = sheet()
    widest = picture(add_relief(made.map, dem, CRS, dpi=2400)).shape[1]
    frame_mm = made.frame[2] - made.frame[0]
    assert widest == round(frame_mm / 25.4 * 300)


def test_beyond_an_area_nothing_is_drawn(tmp_path: Path) -> None:
    dem = raster(tmp_path / "plane.tif", to_east(0.5))
    made = sheet()
    made.map.set_facecolor("white")
    disc = shapely.Point(0, 0).buffer(1500)
    add_relief(made.map, dem, CRS, clip=disc, azimuth=90, exaggeration=1)
    made.figure.set_dpi(50)
    made.figure.canvas.draw()
    pixels = np.asarray(made.figure.canvas.buffer_rgba())  # type: ignore[attr-defined]

    def tone(x: float, y: float) -> int:
        column, row = made.map.transData.transform((x, y))
        return int(pixels[pixels.shape[0] - 1 - int(row), int(column), 0])

    assert tone(0, 0) < 230
    assert tone(2500, 0) == 255


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_bytes_again(tmp_path: Path, kind: str) -> None:
    dem = raster(tmp_path / "cone.tif", lambda x, y: 5000 - 0.3 * np.hypot(x, y))
    written = []
    for run in range(2):
        made = sheet()
        add_relief(made.map, dem, CRS, clip=shapely.Point(0, 0).buffer(1500), dpi=50)
        written.append(save(made.figure, tmp_path / f"{run}.{kind}", dpi=60).read_bytes())
    assert written[0] == written[1]


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["https://example.org/dem.tif", "/vsicurl/dem.tif", "zip:dem.tif"])
def test_only_local_files(path: str) -> None:
    with pytest.raises(InputError, match="is not the path of a local file"):
        add_relief(sheet().map, path, CRS)


def test_files_that_are_no_elevation_model(tmp_path: Path) -> None:
    made = sheet()
    with pytest.raises(InputError, match="does not exist"):
        add_relief(made.map, tmp_path / "none.tif", CRS)
    with pytest.raises(InputError, match="is a folder"):
        add_relief(made.map, tmp_path, CRS)
    with pytest.raises(InputError, match="GDAL virtual file"):
        add_relief(made.map, tmp_path / "dem.vrt", CRS)
    for content in (b"", b"not a raster"):
        (tmp_path / "text.tif").write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            add_relief(made.map, tmp_path / "text.tif", CRS)
    virtual = '<VRTDataset rasterXSize="1" rasterYSize="1"/>'
    (tmp_path / "hidden.tif").write_text(virtual, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        add_relief(made.map, tmp_path / "hidden.tif", CRS)
    assert not made.map.images


def test_a_model_without_a_crs(tmp_path: Path) -> None:
    dem = raster(tmp_path / "none.tif", to_east(0.1), crs=None)
    with pytest.raises(CRSError, match="has no coordinate reference system"):
        add_relief(sheet().map, dem, CRS)


def test_a_model_of_another_region(tmp_path: Path) -> None:
    dem = raster(tmp_path / "far.tif", to_east(0.0), transform=from_origin(9e5, 0, 100, 100))
    with pytest.raises(InputError, match=r"does not overlap the map, which spans 105\.\d\d to"):
        add_relief(sheet().map, dem, CRS)


def test_a_model_of_nothing_but_nodata(tmp_path: Path) -> None:
    dem = raster(tmp_path / "void.tif", lambda x, y: 0 * x - 9999, nodata=-9999)
    with pytest.raises(InputError, match="has no elevation within the map, only nodata"):
        add_relief(sheet().map, dem, CRS)


def test_feet_are_refused(tmp_path: Path) -> None:
    dem = raster(tmp_path / "feet.tif", to_east(0.1))
    with rasterio.open(dem, "r+") as file:
        file.units = ("ft",)
    with pytest.raises(InputError, match="states its heights in 'ft'"):
        add_relief(sheet().map, dem, CRS)


@pytest.mark.parametrize(
    "options",
    [
        {"opacity": 0.0},
        {"opacity": 1.1},
        {"opacity": math.nan},
        {"exaggeration": 0.0},
        {"exaggeration": math.inf},
        {"dpi": 5.0},
        {"dpi": math.nan},
        {"azimuth": math.nan},
    ],
)
def test_numbers_out_of_range(tmp_path: Path, options: dict[str, float]) -> None:
    dem = raster(tmp_path / "plane.tif", to_east(0.1))
    (name,) = options
    with pytest.raises(InputError, match=f"^{name} is "):
        add_relief(sheet().map, dem, CRS, **options)  # type: ignore[arg-type]


def test_a_model_whose_crs_does_not_reach_the_map(tmp_path: Path) -> None:
    """The other side of the Earth: an orthographic view of it cannot hold the map."""
    away = pyproj.CRS.from_user_input("+proj=ortho +lat_0=-27 +lon_0=-74 +datum=WGS84")
    dem = raster(tmp_path / "away.tif", to_east(0.1), crs=away)
    with pytest.raises(CRSError, match="No point of the map can be transformed"):
        add_relief(sheet().map, dem, CRS)
