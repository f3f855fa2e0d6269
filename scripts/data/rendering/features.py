"""The small parts of a portrait: eyes, brows, nose, mouth, glasses and jewellery."""

import numpy as np

from scripts.data.rendering.canvas import Canvas, mix, scaled
from scripts.data.rendering.traits import Face

EYE_LEVEL = -0.04
PUPIL, WHITE, LASH = (0.03, 0.03, 0.03), (0.90, 0.88, 0.86), (0.09, 0.06, 0.05)


def eyes(canvas: Canvas, face: Face) -> None:
    """Draw both eyes: bags, socket, make-up, white, iris, pupil, highlight, lids and lashes."""
    half, centre = face.eye_size, face.eye_gap
    part = canvas.mirrored(centre + 0.18, EYE_LEVEL - 0.17, EYE_LEVEL + 0.20)
    across = (part.u - centre) * (1 / half)
    bow = np.maximum(1 - across * across, 0)
    tilt = EYE_LEVEL - 0.007 * across
    upper, lower = tilt - 0.054 * face.opening * bow, tilt + 0.038 * face.opening * bow
    part.shade(part.glow(centre, EYE_LEVEL - 0.03, 0.11, 0.065), 0.20)  # the socket
    if face.shown["Heavy_Makeup"]:
        part.blend(0.75 * part.glow(centre + 0.02, EYE_LEVEL - 0.065, 0.085, 0.035), face.makeup)
    bags(part, centre, face.bags)
    inside = part.edge(np.minimum(part.v - upper, lower - part.v)) * (np.abs(across) < 1)
    part.blend(inside, WHITE)
    part.blend(inside * part.ellipse(centre, EYE_LEVEL - 0.008, 0.050, 0.050), face.iris)
    part.blend(inside * part.ellipse(centre, EYE_LEVEL - 0.008, 0.023, 0.023), PUPIL)
    part.blend(inside * part.ellipse(centre + 0.018, EYE_LEVEL - 0.026, 0.014, 0.014), (1.0, 1.0, 1.0))
    lid = part.stroke(centre - half * 1.05, centre + half * 1.05, upper - 0.004, 0.016 + 0.014 * face.lashes)
    part.blend(lid * (0.55 + 0.45 * min(face.lashes, 1.0)), LASH)
    part.shade(part.stroke(centre - half, centre + half, lower + 0.004, 0.010, 0.01), 0.25 + 0.15 * face.lashes)
    part.shade(part.stroke(centre - half, centre + half, upper - 0.036, 0.010, 0.012), 0.30)  # crease of the lid


def bags(part: Canvas, centre: float, amount: float) -> None:
    """Darken a crescent under the eyes and lighten the fold below it."""
    bow = EYE_LEVEL + 0.110 - 2.2 * (part.u - centre) ** 2
    crescent = part.stroke(centre - 0.11, centre + 0.11, bow, 0.040, 0.035)
    part.shade(crescent, (0.42 * amount, 0.54 * amount, 0.42 * amount))
    part.shade(part.stroke(centre - 0.09, centre + 0.09, bow + 0.048, 0.016, 0.03), -0.16 * amount)


def brows(canvas: Canvas, face: Face) -> None:
    """Draw the eyebrows: `brow_arch` lifts their outer half, `brow_weight` is their thickness."""
    if face.shown["Gray_Hair"] or face.shown["Blond_Hair"]:
        colour = mix(face.hair, (0.25, 0.18, 0.12), 0.6)
    else:
        colour = scaled(mix(face.hair, (0.10, 0.07, 0.05), 0.55), 0.9)
    centre = face.eye_gap + 0.015
    part = canvas.mirrored(centre + 0.17, face.brow_height - 0.16, face.brow_height + 0.11)
    out = (part.u - centre) * (1 / 0.135)  # -1 at the nose, +1 at the temple
    peak = 1 - (0.8 * out - 0.2) ** 2
    curve = face.brow_height + 0.010 - 1.6 * face.brow_arch * (peak - 0.35)
    weight = face.brow_weight * (1.05 - 0.45 * np.maximum(out, 0))
    part.blend(part.stroke(centre - 0.14, centre + 0.14, curve, weight, 0.012) * 0.82, colour)


def nose(canvas: Canvas, face: Face) -> None:
    """Shade the nose: bridge, tip, wings, nostrils and the shadow below."""
    wide, tip, point = face.nose_width, EYE_LEVEL + face.nose_length, face.nose_point
    part = canvas.mirrored(0.22, -0.16, tip + 0.16)
    grow = np.minimum(np.maximum((part.v + 0.10) * (1 / (tip + 0.10)), 0), 1)
    ridge = 0.030 + (wide - 0.030) * (grow * grow if point < 0.5 else grow)
    line = part.edge(0.012 - np.abs(part.u - ridge), 0.045) * part.between(-0.12, tip + 0.01, 0.07)
    part.shade(line, 0.22)
    part.shade(part.glow(0, tip - 0.10, 0.020, 0.10), -0.12)
    part.shade(part.glow(0, tip - 0.012, 0.034 - 0.008 * point, 0.026), -0.16 - 0.07 * point)
    part.shade(part.ellipse(0, tip + 0.040 + 0.012 * point, wide * 0.85, 0.022, 0.04), 0.36 + 0.06 * point)
    part.shade(part.ellipse(wide * 0.52, tip + 0.030, wide * 0.26, 0.014), 0.62)
    part.shade(part.ring(wide * 0.88, tip + 0.005, 0.030, 0.036, 0.012), 0.16)


def mouth(canvas: Canvas, face: Face) -> None:
    """Draw the lips, what lies between them, and a moustache where it shows."""
    wide, level, thick, smile = face.mouth_width, face.mouth_height, face.lips, face.smile
    part = canvas.window(-0.28, level - 0.15, 0.28, level + 0.22)
    across = part.u * (1 / wide)
    square = across * across
    bow = np.maximum(1 - square, 0)
    middle = level - 0.030 * smile * (square - 0.35)  # the corners rise with a smile
    upper, lower = middle - 0.25 * face.open * bow, middle + 0.95 * face.open * bow
    inside = bow > 0
    if face.shown["Mustache"] and face.male:
        moustache(part, face, level)
    part.shade(part.glow(0, level + thick * 1.35 + face.open + 0.055, 0.09, 0.024), 0.24)  # above the chin
    notch = 0.30 * np.exp(-40 * square)
    part.blend(part.between(upper - thick * np.sqrt(bow) * (1 - notch), upper) * inside, scaled(face.lip_colour, 0.86))
    part.blend(part.between(lower, lower + 1.35 * thick * np.sqrt(bow)) * inside, face.lip_colour)
    part.shade(part.glow(0.02, level + face.open + 0.6 * thick, 0.05, 0.012), -0.16)
    if face.open:
        part.blend(part.between(upper, lower) * inside, (0.20, 0.05, 0.05))
        teeth = part.between(upper, np.minimum(upper + 0.032 + 0.014 * smile, lower)) * inside
        part.blend(teeth * (0.95 if smile > 0 else 0.5), (0.95, 0.94, 0.90))
    else:
        part.shade(part.stroke(-wide, wide, middle, 0.014, 0.008), 0.55)
    part.u = np.abs(part.u)
    part.shade(part.glow(wide + 0.005, level - 0.0195 * smile, 0.018, 0.016), 0.35)  # the corners


def moustache(part: Canvas, face: Face, level: float) -> None:
    """Draw a moustache between nose and mouth."""
    square = (part.u * (1 / 0.19)) ** 2
    mask = part.edge(
        0.044 * np.maximum(1.05 - square, 0) + 0.004 - np.abs(part.v - level + 0.062 - 0.055 * square), 0.01
    )
    grain = 0.85 + 0.15 * np.sin(90 * part.u + face.phases[5])
    part.blend(0.95 * mask * (square < 1) * grain, scaled(mix(face.hair, (0.10, 0.07, 0.05), 0.3), 0.8))


def glasses(canvas: Canvas, face: Face) -> None:
    """Draw glasses: frames, bridge, temples, a light tint and a reflection, at times dark lenses."""
    if not face.shown["Eyeglasses"]:
        return
    wide, high = 0.150 * face.frame_size, 0.115 * face.frame_size
    level, centre = EYE_LEVEL + 0.012, face.eye_gap + 0.012
    part = canvas.mirrored(face.width + 0.08, level - 0.18, level + 0.18)
    lens = part.ellipse(centre, level, wide, high)
    if face.dark_lenses:
        part.blend(0.86 * lens, (0.08, 0.07, 0.09))
    else:
        part.blend(0.10 * lens, (0.80, 0.85, 0.90))
    part.blend(0.35 * part.ellipse(centre - 0.06, level - 0.055, 0.035, 0.018, 0.02), (1.0, 1.0, 1.0))
    part.blend(part.ring(centre, level, wide, high, 0.032), face.frame)
    part.blend(part.stroke(centre + wide, face.width + 0.02, level - 0.03, 0.026), face.frame)
    part.blend(part.stroke(-1.0, centre - wide + 0.02, level - 0.03 + part.u**2, 0.028), face.frame)


def earrings(canvas: Canvas, face: Face) -> None:
    """Draw an earring below each ear."""
    if not face.shown["Wearing_Earrings"]:
        return
    centre = face.width + 0.035
    part = canvas.mirrored(centre + 0.08, 0.10, 0.34)
    part.blend(part.ellipse(centre, 0.215, 0.036, 0.066), face.metal)
    part.blend(part.ellipse(centre - 0.008, 0.195, 0.012, 0.016), (1.0, 1.0, 1.0))
    part.shade(part.stroke(centre - 0.03, centre + 0.03, 0.280, 0.02, 0.01), 0.35)
