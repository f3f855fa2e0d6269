"""The simulated camera: pose of the head, light, obstacles in front of the face, lens blur and sensor noise."""

from dataclasses import dataclass

import numpy as np

from scripts.data.rendering.canvas import Canvas
from scripts.data.rendering.nuisance import STRENGTH

SIZE = 64
UNIT = 31.0  # pixels in one unit of face coordinates
MIDDLE = 0.45  # the brightness that contrast leaves as it is
CENTRE = 33.0  # the row of the face's centre


@dataclass(frozen=True)
class Shot:
    """Random conditions of one photograph."""

    shift: tuple[float, float]  # pixels right and down
    angle: float  # radians
    scale: float
    yaw: float  # turn of the head; +1 looks far to the right
    pitch: float
    light: tuple[float, float, float]  # from the right, from below, from the front
    exposure: float
    contrast: float
    cast: list[float]  # gain of red, green, blue
    blur: float  # pixels
    obstacle: str  # "", "hand", "strand", "microphone" or "shadow"
    place: tuple[float, float]
    tint: float
    noise: float  # standard deviation of the sensor noise


def sample_shot(rng: np.random.Generator, blurry: bool) -> Shot:
    """Return random conditions of one photograph, with a spread proportional to `STRENGTH`."""
    n = (STRENGTH * np.clip(rng.standard_normal(16), -2.2, 2.2)).tolist()
    r = rng.random(8).tolist()
    obstacle = ("hand", "strand", "microphone", "shadow")[int(r[0] * 4)] if r[1] < 0.22 * STRENGTH else ""
    return Shot(
        shift=(1.6 * n[0], 1.4 * n[1]),
        angle=0.09 * n[2],
        scale=float(np.exp(0.055 * n[3])),
        yaw=0.55 * n[4],
        pitch=0.35 * n[5],
        light=(0.40 * n[6], -0.22 + 0.25 * n[7], 1.0),
        exposure=float(np.exp(0.17 * n[8])),
        contrast=1 + 0.12 * n[9],
        cast=[float(np.exp(0.055 * value)) for value in n[10:13]],
        blur=(1.2 + 0.4 * r[2]) if blurry else STRENGTH * (0.25 + 0.65 * r[2]),
        obstacle=obstacle,
        place=(r[3], r[4]),
        tint=r[5],
        noise=STRENGTH * (0.012 + 0.022 * r[6]),
    )


def pose(shot: Shot) -> Canvas:
    """Return an empty canvas with face coordinates that are shifted, rotated, scaled and turned to one side.

    Turning (sideways, up or down) moves the middle of the face and leaves its outline in place.
    """
    row, column = CENTRE + shot.shift[1] - 0.5, SIZE / 2 + shot.shift[0] - 0.5
    size = UNIT * shot.scale
    a, b = size * np.cos(shot.angle).item(), size * np.sin(shot.angle).item()
    down, right = np.arange(SIZE, dtype=np.float32)[:, None] - row, np.arange(SIZE, dtype=np.float32) - column
    u = right * (a / size**2) + down * (b / size**2)
    v = down * (a / size**2) - right * (b / size**2)
    middle = np.maximum(1 - u * u * (1 / 0.62**2) - v * v * (1 / 0.85**2), 0)
    bend = (0.16 * shot.yaw, 0.14 * shot.pitch)
    u -= bend[0] * middle
    v -= bend[1] * middle
    return Canvas(np.empty((3, SIZE, SIZE), np.float32), u, v, (a, b, row, column), bend, 1 / size)


def obstruct(canvas: Canvas, shot: Shot, skin: tuple, hair: tuple) -> None:
    """Draw the shot's obstacle in front of the face."""
    x, y = shot.place
    if shot.obstacle == "hand":  # fingers on the chin or cheek
        left = -0.45 + 0.6 * x
        for finger in range(4):
            part = canvas.ellipse(left + 0.11 * finger, 0.62 + 0.25 * y + 0.03 * abs(finger - 1.5), 0.060, 0.30)
            canvas.blend(part, tuple(0.93 * value for value in skin))
            canvas.shade(canvas.edge(0.012 - np.abs(canvas.u - left - 0.055 - 0.11 * finger)) * part, 0.35)
    elif shot.obstacle == "strand":  # a strand of hair across the face
        curve = -0.55 + 1.1 * x + 0.35 * (y - 0.5) * canvas.v + 0.12 * np.sin(4 * canvas.v + 6 * y)
        mask = canvas.edge(0.05 - np.abs(canvas.u - curve), 0.03) * canvas.edge(0.5 - canvas.v)
        canvas.blend(0.85 * mask * (canvas.v > -0.6), hair)
    elif shot.obstacle == "microphone":
        u = -0.25 + 0.5 * x
        canvas.blend(canvas.edge(0.05 - np.abs(canvas.u - u)) * canvas.edge(canvas.v - 0.62), (0.10, 0.10, 0.11))
        canvas.blend(canvas.ellipse(u, 0.55 + 0.15 * y, 0.12, 0.14), (0.16, 0.16, 0.18))
        canvas.shade(canvas.glow(u - 0.04, 0.50 + 0.15 * y, 0.03, 0.04), -0.9)
    elif shot.obstacle == "shadow":  # a hard shadow over one side
        side = 1 if x < 0.5 else -1
        canvas.shade(canvas.edge(side * (canvas.u + 0.4 * (y - 0.5) * canvas.v) - 0.1 * y, 0.10), 0.50)


def soften(image: np.ndarray, width: float) -> None:
    """Blur planes (float32 [3, H, W]) in place by passes of (k, 1 - 2k, k), whose variances of 2k add up to width^2.

    A few passes approximate a Gaussian; one is enough for a sharp image.
    """
    passes = max(int(np.ceil(width**2 / 0.5)), 1)
    weight = width**2 / passes / 2
    for _ in range(passes):
        for planes in (image, image.swapaxes(1, 2)):
            step = planes[:, 1:] - planes[:, :-1]
            step *= weight
            planes[:, :-1] += step
            planes[:, 1:] -= step


def develop(image: np.ndarray, shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """Return the image (float32 [3, 64, 64]) after lens and sensor, as uint8 [64, 64, 3]."""
    if shot.blur:
        soften(image, shot.blur)
    gains = np.array(shot.cast, np.float32).reshape(3, 1, 1) * (255 * shot.exposure * shot.contrast)
    grain = rng.random(image.shape, np.float32) + rng.random(image.shape, np.float32)  # variance 1/6, mean 1
    strength = 255 * shot.noise * 6**0.5
    image *= gains
    image += grain * strength
    image += 255 * MIDDLE * (1 - shot.contrast) + 0.5 - strength
    return np.minimum(np.maximum(image, 0), 255.5).astype(np.uint8).transpose(1, 2, 0)
