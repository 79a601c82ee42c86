"""The pictures of the demo: phantoms and photograph-like scenes, drawn from formulas and noise.

Nobody's body is in them. Each function returns intensities from 0 to 1, of shape ``(rows, columns)`` for gray and
``(rows, columns, 3)`` for colour, and depends on nothing but its arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Plane = npt.NDArray[np.float64]
    Grid = tuple[Plane, Plane]
    Point = tuple[float, float]

# Intensity, half axes, centre and angle of the ellipses of the modified Shepp-Logan phantom (P. Toft, 1996).
_SHEPP_LOGAN = (
    (1.0, 0.69, 0.92, 0.0, 0.0, 0),
    (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0),
    (-0.2, 0.11, 0.31, 0.22, 0.0, -18),
    (-0.2, 0.16, 0.41, -0.22, 0.0, 18),
    (0.1, 0.21, 0.25, 0.0, 0.35, 0),
    (0.1, 0.046, 0.046, 0.0, 0.1, 0),
    (0.1, 0.046, 0.046, 0.0, -0.1, 0),
    (0.1, 0.046, 0.023, -0.08, -0.605, 0),
    (0.1, 0.023, 0.023, 0.0, -0.606, 0),
    (0.1, 0.023, 0.046, 0.06, -0.605, 0),
)
# Root, tip (x, y) and half width of five fingers, in the hand's own units.
_FINGERS = (
    ((-0.3, 0.35), (-0.75, -0.05), 0.085),
    ((-0.24, -0.02), (-0.4, -0.68), 0.075),
    ((-0.05, -0.08), (-0.08, -0.84), 0.078),
    ((0.14, -0.05), (0.24, -0.74), 0.074),
    ((0.3, 0.05), (0.54, -0.5), 0.064),
)


def chest(rng: np.random.Generator, rows: int, columns: int, *, lateral: bool = False) -> Plane:
    """Return a chest-like radiograph: a body, lungs, ribs, spine and a heart."""
    x, y = grid = _grid(rows, columns)
    body = _blob(grid, (0, 0.25), (0.62 if lateral else 0.88, 1.15))
    image = 0.06 + 0.5 * body * (0.85 + 0.3 * _clouds(rng, rows, columns, 5))
    lungs = [(0.05, 0.0, 0.36, 0.66)] if lateral else [(-0.38, 0.0, 0.27, 0.62), (0.38, 0.0, 0.25, 0.6)]
    for cx, cy, rx, ry in lungs:
        image -= 0.36 * _blob(grid, (cx, cy), (rx, ry)) * (0.8 + 0.4 * _clouds(rng, rows, columns, 12))
    image += 0.09 * body * np.clip(np.sin(16 * (y + 0.35 * x**2 * (-1 if lateral else 1))), 0, 1)
    spine_x = 0.42 if lateral else 0.0
    image += 0.16 * np.exp(-(((x - spine_x) / 0.09) ** 2)) * body * (0.8 + 0.2 * np.sin(24 * y))
    image += 0.22 * _blob(grid, (-0.15 if lateral else 0.14, 0.25), (0.26, 0.27))
    return _noisy(rng, image, 0.02)


def hand(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Return a hand-like radiograph: soft tissue, and bones with joints."""
    grid = _grid(rows, columns)
    soft = _blob(grid, (0, 0.38), (0.4, 0.46))
    bone = np.zeros((rows, columns))
    for root, tip, width in _FINGERS:
        soft = np.maximum(soft, _bar(grid, root, tip, width * 1.5))
        for start, end in ((-0.7, -0.06), (0.02, 0.42), (0.48, 0.74), (0.8, 0.97)):
            bone = np.maximum(bone, _bar(grid, _between(root, tip, start), _between(root, tip, end), width * 0.6))
    soft = np.maximum(soft, _bar(grid, (0, 0.6), (0.02, 1.3), 0.24))
    for wrist in (-0.1, 0.12):
        bone = np.maximum(bone, _bar(grid, (wrist, 0.86), (wrist, 1.4), 0.09))
    texture = 0.8 + 0.4 * _clouds(rng, rows, columns, 24)
    return _noisy(rng, 0.05 + 0.25 * soft * texture + 0.5 * bone * texture, 0.02)


def head_slice(rng: np.random.Generator, rows: int, columns: int, *, scale: float = 1.0) -> Plane:
    """Return a Shepp-Logan-like slice of a head; `scale` shrinks what is inside the skull."""
    grid = _grid(rows, columns)
    image = np.zeros((rows, columns))
    for index, (value, rx, ry, cx, cy, angle) in enumerate(_SHEPP_LOGAN):
        size = 1.0 if index < 2 else scale
        image += value * _blob(grid, (cx, -cy), (rx * size, ry * size), angle=-angle, edge=0.02)
    return _noisy(rng, 0.05 + 0.85 * image, 0.012)


def ultrasound(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Return an ultrasound-like fan: speckle that darkens with depth, and a cyst."""
    x, y = grid = _grid(rows, columns)
    depth = np.hypot(x, y + 1.3)
    angle = np.arctan2(x, y + 1.3)
    fan = (np.abs(angle) < 0.62) & (depth > 0.4) & (depth < 2.15)
    speckle = np.hypot(_clouds(rng, rows, columns, 60) - 0.5, _clouds(rng, rows, columns, 55) - 0.5)
    tissue = (0.35 + 0.6 * _clouds(rng, rows, columns, 6)) * np.exp(-0.35 * depth) + 0.2 * np.cos(9 * depth) ** 8
    echo = 2.4 * speckle * tissue * (1 - 0.85 * _blob(grid, (0.15, 0.1), (0.22, 0.18)))
    return _noisy(rng, np.where(fan, echo, 0.01), 0.008)


def flow(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Return the fan with colour Doppler laid over a vessel: red towards the probe, blue away."""
    x, _ = grid = _grid(rows, columns)
    gray = ultrasound(rng, rows, columns)
    vessel = _bar(grid, (-0.4, 0.0), (0.35, 0.3), 0.09)
    speed = np.sin(5 * x + 2 * _clouds(rng, rows, columns, 7))
    colors = np.stack([np.clip(speed, 0, 1), 0.25 * np.abs(speed), np.clip(-speed, 0, 1)], axis=2)
    return _noisy(rng, _mixed(gray[:, :, None].repeat(3, axis=2), colors, 0.8 * vessel), 0.01)


def lesion(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Return a close-up of skin with a pigmented, irregular lesion."""
    x, y = _grid(rows, columns)
    wavy = 0.25 * (_clouds(rng, rows, columns, 7) - 0.5)
    skin = _tinted(0.9 + 0.2 * (_clouds(rng, rows, columns, 20) - 0.5), (0.88, 0.68, 0.58))
    pigment = _tinted(0.7 + 0.6 * _clouds(rng, rows, columns, 16), (0.4, 0.22, 0.16))
    mask = _blob((x + wavy, y - wavy), (0.05, -0.05), (0.48, 0.4), edge=0.15)
    return _noisy(rng, _mixed(skin, pigment, 0.9 * mask), 0.02)


def forearm(rng: np.random.Generator, rows: int, columns: int) -> Plane:
    """Return a photograph-like scene: a forearm on a cloth, lit from one side."""
    x, _ = grid = _grid(rows, columns)
    cloth = _tinted(0.75 + 0.25 * np.sin(9 * x + 5 * _clouds(rng, rows, columns, 5)), (0.2, 0.42, 0.5))
    skin = _tinted(1.0 - 0.35 * x + 0.1 * _clouds(rng, rows, columns, 30), (0.84, 0.64, 0.53))
    scene = _mixed(cloth, skin, _bar(grid, (-0.15, -1.2), (0.15, 1.2), 0.42))
    spot = np.array((0.45, 0.26, 0.2)) * np.ones((rows, columns, 1))
    return _noisy(rng, _mixed(scene, spot, _blob(grid, (0.05, 0.1), (0.08, 0.06))), 0.02)


def endoscopy(rng: np.random.Generator, rows: int, columns: int, *, hue: float = 0.3) -> Plane:
    """Return an endoscopy-like round field: folds around a dark lumen, wet highlights; `hue` is the green in it."""
    x, y = grid = _grid(rows, columns)
    radius = np.hypot(x - 0.1, y + 0.05)
    folds = 0.7 + 0.3 * np.sin(14 * radius + 6 * _clouds(rng, rows, columns, 4))
    wall = _tinted(folds * np.clip(radius / 0.7, 0.08, 1), (0.92, hue + 0.15, hue))
    wet = np.clip(_clouds(rng, rows, columns, 18) - 0.82, 0, 0.1) * 8
    field = _blob(grid, (0, 0), (0.94, 0.94), edge=0.03)
    return _noisy(rng, (wall + wet[:, :, None]) * field[:, :, None] + 0.02, 0.012)


def cells(rng: np.random.Generator, rows: int, columns: int, *, count: int = 30) -> Plane:
    """Return a microscopy-like field of stained cells: pink bodies with violet nuclei."""
    grid = _grid(rows, columns)
    image = _tinted(0.97 + 0.06 * (_clouds(rng, rows, columns, 8) - 0.5), (0.95, 0.9, 0.93))
    for cx, cy, size, angle in zip(*rng.uniform(-1, 1, (2, count)), *rng.uniform(0.6, 1, (2, count)), strict=True):
        body = _blob(grid, (cx, cy), (0.2 * size, 0.15 * size), angle=180 * angle)
        nucleus = _blob(grid, (cx, cy), (0.08 * size, 0.07 * size), angle=90 * angle)
        image = _mixed(image, _tinted(np.ones((rows, columns)), (0.9, 0.62, 0.74)), 0.7 * body)
        image = _mixed(image, _tinted(np.ones((rows, columns)), (0.4, 0.22, 0.56)), 0.85 * nucleus)
    return _noisy(rng, image * (0.9 + 0.2 * _clouds(rng, rows, columns, 40))[:, :, None], 0.015)


def _grid(rows: int, columns: int) -> Grid:
    """Return x to the right and y downwards, -1 to 1 along the shorter side."""
    short = min(rows, columns)
    y, x = np.mgrid[:rows, :columns]
    return (2 * x - columns + 1) / short, (2 * y - rows + 1) / short


def _blob(grid: Grid, center: Point, radii: Point, *, angle: float = 0, edge: float = 0.06) -> Plane:
    """Return 1 inside an ellipse and 0 outside, with a soft edge; `angle` in degrees, positive clockwise."""
    dx, dy = grid[0] - center[0], grid[1] - center[1]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    return np.clip((1 - np.hypot(along / radii[0], across / radii[1])) / edge + 0.5, 0, 1)


def _bar(grid: Grid, start: Point, end: Point, half_width: float) -> Plane:
    """Return 1 within `half_width` of a line from `start` to `end`, with a soft edge."""
    x, y = grid[0] - start[0], grid[1] - start[1]
    dx, dy = end[0] - start[0], end[1] - start[1]
    part = np.clip((x * dx + y * dy) / (dx**2 + dy**2), 0, 1)
    return np.clip((1 - np.hypot(x - part * dx, y - part * dy) / half_width) / 0.25 + 0.5, 0, 1)


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def _clouds(rng: np.random.Generator, rows: int, columns: int, count: int) -> Plane:
    """Return smooth noise from 0 to 1 with about `count` clouds along each side."""
    coarse = Image.fromarray(rng.random((count, count), dtype=np.float32))
    return np.clip(np.asarray(coarse.resize((columns, rows), Image.Resampling.BICUBIC), dtype=np.float64), 0, 1)


def _tinted(brightness: Plane, color: Iterable[float]) -> Plane:
    return brightness[:, :, None] * np.array(tuple(color))


def _mixed(below: Plane, above: Plane, opacity: Plane) -> Plane:
    return below + (above - below) * opacity[:, :, None]


def _noisy(rng: np.random.Generator, image: Plane, deviation: float) -> Plane:
    """Return the image with a sensor's noise, within 0 to 1."""
    return np.clip(image + np.abs(rng.normal(0, deviation, image.shape)), 0, 1)
