"""A small image on which shapes are drawn in face coordinates with soft, antialiased edges.

Face coordinates: the face's centre is (0, 0), u points to the right, v points down; the eyes lie near v = -0.04, the
chin near v = 0.66 and the crown near v = -0.68. Shapes are coverage masks in [0, 1], computed from the distance to the
shape's edge, so no supersampling is needed.
"""

import numpy as np

Mask = np.ndarray
Colour = tuple[float, float, float]


class Canvas:
    """Planar RGB pixels (float32 [3, H, W], changed in place) with the face coordinates of every pixel's centre."""

    def __init__(
        self, image: np.ndarray, u: np.ndarray, v: np.ndarray, to_pixels: tuple, bend: tuple, pixel: float
    ) -> None:
        self.image, self.u, self.v = image, u, v
        self.pixel = pixel  # width of a pixel in face coordinates
        self._to_pixels, self._bend = to_pixels, bend

    def window(self, left: float, top: float, right: float, bottom: float) -> "Canvas":
        """Return the part of the canvas that contains a box in face coordinates; pixels are shared, not copied."""
        a, b, row, column = self._to_pixels
        bend_u, bend_v = self._bend  # largest shift of a point by turning the head
        left, right, top, bottom = (
            left + min(bend_u, 0),
            right + max(bend_u, 0),
            top + min(bend_v, 0),
            bottom + max(bend_v, 0),
        )
        columns = [column + a * x - b * y for x in (left, right) for y in (top, bottom)]
        rows = [row + b * x + a * y for x in (left, right) for y in (top, bottom)]
        height, width = self.u.shape
        first_row, last_row = max(int(min(rows)), 0), min(max(int(max(rows)) + 2, 1), height)
        first_column, last_column = max(int(min(columns)), 0), min(max(int(max(columns)) + 2, 1), width)
        part = (slice(min(first_row, height - 1), last_row), slice(min(first_column, width - 1), last_column))
        to_pixels = (a, b, row - part[0].start, column - part[1].start)
        return Canvas(self.image[:, *part], self.u[part], self.v[part], to_pixels, self._bend, self.pixel)

    def mirrored(self, side: float, top: float, bottom: float) -> "Canvas":
        """Return a window (see `window`) around both halves of the face, with u measured away from the middle.

        A shape drawn at u > 0 appears on both sides.
        """
        part = self.window(-side, top, side, bottom)
        part.u = np.abs(part.u)
        return part

    def blend(self, mask: Mask, colour: Colour) -> None:
        """Paint a colour where the mask is 1, mixing in between."""
        image = self.image
        image *= 1 - mask
        image += mask * planes(colour)

    def paint(self, mask: Mask, tone: np.ndarray, colour: Colour) -> None:
        """Paint a colour times a brightness per pixel (float32 [H, W]) where the mask is 1, mixing in between."""
        image = self.image
        image *= 1 - mask
        image += mask * tone * planes(colour)

    def shade(self, mask: Mask, amount: float | Colour) -> None:
        """Darken (amount > 0) or brighten (amount < 0) by a fraction where the mask is 1."""
        image = self.image
        image *= 1 - mask * (planes(amount) if isinstance(amount, tuple) else amount)

    def edge(self, distance: np.ndarray, soft: float = 0.0) -> Mask:
        """Coverage from the signed distance to a shape's edge (positive inside); `soft` widens the edge."""
        width = self.pixel * 1.2 + soft
        return np.minimum(np.maximum(distance * (1 / width) + 0.5, 0), 1)  # np.clip takes twice as long

    def ellipse(self, u: float, v: float, width: float, height: float, soft: float = 0.0) -> Mask:
        """Coverage of an ellipse with half axes `width` and `height`."""
        across, down = (self.u - u) * (1 / width), (self.v - v) * (1 / height)
        return self.edge((1 - np.sqrt(across * across + down * down)) * min(width, height), soft)

    def ring(self, u: float, v: float, width: float, height: float, thickness: float) -> Mask:
        """Coverage of the outline of a superellipse, a slightly square ellipse."""
        across, down = ((self.u - u) * (1 / width)) ** 2, ((self.v - v) * (1 / height)) ** 2
        radius = np.sqrt(np.sqrt(across * across + down * down))
        return self.edge(thickness / 2 - np.abs(1 - radius) * min(width, height))

    def glow(self, u: float, v: float, width: float, height: float) -> Mask:
        """A Gaussian spot with the standard deviations `width` and `height`."""
        across, down = (self.u - u) * (1 / width), (self.v - v) * (1 / height)
        return np.exp(-0.5 * (across * across + down * down))

    def between(self, low: np.ndarray | float, high: np.ndarray | float, soft: float = 0.0) -> Mask:
        """Coverage of the points whose v lies between two curves v = low(u) and v = high(u)."""
        return self.edge(np.minimum(self.v - low, high - self.v), soft)

    def stroke(self, left: float, right: float, curve: np.ndarray, thickness: np.ndarray | float, soft=0.0) -> Mask:
        """Coverage of a line along v = curve(u) from `left` to `right`."""
        along = np.minimum(self.u - left, right - self.u)
        return self.edge(np.minimum(thickness / 2 - np.abs(self.v - curve), along), soft)


def planes(colour: Colour) -> np.ndarray:
    """Return a colour as float32 [3, 1, 1]."""
    return np.array(colour, np.float32).reshape(3, 1, 1)


def mix(first: Colour, second: Colour, weight: float) -> Colour:
    """Return the colour at the fraction `weight` of the way from the first to the second."""
    return tuple(a + weight * (b - a) for a, b in zip(first, second, strict=True))


def scaled(colour: Colour, factor: float) -> Colour:
    """Return a brighter or darker colour."""
    return tuple(min(max(value * factor, 0.0), 1.0) for value in colour)
