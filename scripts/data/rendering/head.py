"""The large parts of a portrait: background, shoulders, head, hair, beard and hat."""

import numpy as np

from scripts.data.rendering.canvas import Canvas, mix, scaled
from scripts.data.rendering.traits import Face

TEMPLE = -0.10  # v at which the head is widest
CROWN = 0.57  # from there to the top of the head


def background(canvas: Canvas, face: Face) -> None:
    """Paint a gradient with a few soft waves behind the person."""
    first, second = face.background
    waves = np.sin(1.7 * canvas.u + 1.1 * canvas.v + face.phases[0])
    waves = 0.5 + 0.28 * waves + 0.22 * np.sin(3.1 * canvas.v - 2.3 * canvas.u + face.phases[1])
    for plane, low, high in zip(canvas.image, first, second, strict=True):
        np.multiply(waves, high - low, out=plane)
        plane += low


def shoulders(canvas: Canvas, face: Face) -> None:
    """Paint neck and clothes, with tie or necklace."""
    shown, chin = face.shown, TEMPLE + face.length
    part = canvas.mirrored(2.0, 0.3, 1.6)
    side, v = part.u, part.v
    neck = face.width * (0.68 if face.male else 0.54)
    part.blend(part.edge(neck + 0.10 * np.maximum(v - 0.75, 0) - side), scaled(face.skin, 0.88))
    part.shade(part.glow(0, chin + 0.02, 0.30, 0.10), 0.36)  # the head's shadow on the neck
    tie = shown["Wearing_Necktie"] > 0
    collar = np.maximum(0.34 - side, 0) * (1.0 if tie else 1.25)
    below = part.edge(v - 0.80 - 0.30 * side * side - collar + (0.06 if tie else 0.0))
    cloth = mix(face.cloth, (0.10, 0.11, 0.15), 0.75) if tie else face.cloth
    part.paint(below, 0.92 + 0.08 * np.sin(9 * side + 5 * v + face.phases[2]), cloth)
    if tie:
        part.blend(part.edge(0.26 - side - 0.45 * np.maximum(v - 0.80, 0)) * below, (0.93, 0.93, 0.95))
        part.shade(part.edge(0.02 - np.abs(side - 0.16 + 0.5 * (v - 0.80))) * below, 0.25)
        part.blend(part.edge(0.055 + 0.06 * np.maximum(v - 0.86, 0) - side) * part.edge(v - 0.78), face.accent)
    if shown["Wearing_Necklace"]:
        curve = 0.90 - 1.1 * side * side
        part.shade(part.stroke(-1.0, 0.34, curve + 0.03, 0.05, 0.03), 0.3)
        part.blend(part.stroke(-1.0, 0.34, curve, 0.05) * (0.72 + 0.28 * np.sin(70 * side)), face.metal)


def outline(canvas: Canvas, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Return the head's coverage and its implicit radius squared: 0 at the temples' middle, 1 at the outline."""
    across = canvas.u * (1 / face.width)
    down = canvas.v - TEMPLE
    low = np.maximum(down, 0) * (1 / face.length)
    high = np.minimum(down, 0) * (1 / CROWN)
    power = low ** (face.jaw - 1)
    level = across * across + power * low + high * high
    slope_u = across * (2 / face.width)
    slope_v = power * (face.jaw / face.length) - high * (2 / CROWN)
    distance = (1 - level) / np.sqrt(slope_u * slope_u + slope_v * slope_v + 0.05)
    return canvas.edge(distance), level


def skin(canvas: Canvas, face: Face, cover: np.ndarray, level: np.ndarray, light: tuple[float, float, float]) -> None:
    """Paint the head as a lit solid: ears, skin, cheeks, wrinkles and the double chin."""
    ear = face.width + 0.015
    part = canvas.mirrored(ear + 0.09, -0.14, 0.20)
    part.blend(part.ellipse(ear, 0.03, 0.062, 0.125), scaled(face.skin, 0.84))
    part.shade(part.ellipse(ear + 0.005, 0.03, 0.025, 0.07, 0.04), 0.22)
    if face.shown["Double_Chin"] > 0:  # a second curve of flesh under the chin
        chin = TEMPLE + face.length
        depth = min(0.05 + 0.04 * face.shown["Double_Chin"], 0.14)
        part = canvas.window(-0.4, chin - 0.25, 0.4, chin + 0.2)
        part.blend(part.ellipse(0, chin - 0.16, 0.34, 0.16 + depth), scaled(face.skin, 0.90))
        part.shade(part.stroke(-0.30, 0.30, chin + 0.02 - 1.3 * part.u**2, 0.030, 0.03), 0.38)
    right, down, front = light
    lit = np.sqrt(np.maximum(1.02 - level, 0)) * (0.46 * front)
    lit += 0.62 + 0.40 * down * (canvas.v - TEMPLE) + (0.42 * right / face.width) * canvas.u
    canvas.paint(cover, np.minimum(np.maximum(lit, 0.25), 1.22), face.skin)
    cheeks(canvas, face)
    if face.age > 0.45:
        wrinkles(canvas, face, min((face.age - 0.45) * 1.7, 0.8))


def cheeks(canvas: Canvas, face: Face) -> None:
    """Shade the cheeks: bones, blush and the fold that a smile makes."""
    bones = max(min(0.5 + 0.35 * face.shown["High_Cheekbones"], 1.2), 0.0)
    folds = max(min(0.10 + 0.16 * face.smile + 0.3 * face.age, 0.6), 0.0)
    part = canvas.mirrored(face.width, -0.05, 0.50)
    bone = 0.22 * part.glow(0.33, 0.29, 0.07, 0.09) - 0.20 * part.glow(0.29, 0.13, 0.09, 0.045)
    part.shade(bone, bones)
    if face.shown["Rosy_Cheeks"]:
        part.shade(part.glow(0.28, 0.18, 0.09, 0.07), (-0.06, 0.32, 0.26))
    bend = 0.155 + 0.55 * np.maximum(part.v - 0.20, 0) - 0.5 * np.maximum(part.v - 0.33, 0)
    part.shade(part.edge(0.010 - np.abs(part.u - bend), 0.03) * part.between(0.20, 0.42, 0.08), folds)


def wrinkles(canvas: Canvas, face: Face, amount: float) -> None:
    """Draw the lines of age on the forehead and beside the eyes."""
    part = canvas.window(-0.28, -0.42, 0.28, -0.22)
    bend = part.v + 0.25 * part.u * part.u
    lines = np.maximum(np.cos((bend + 0.31) * (6.2832 / 0.06)), 0) * part.edge(0.07 - np.abs(bend + 0.31), 0.02)
    part.shade(lines * part.edge(0.25 - np.abs(part.u), 0.05), 0.26 * amount)
    part = canvas.mirrored(0.44, -0.12, 0.06)
    fan = (part.v + 0.03) / np.maximum(part.u - 0.26, 0.03)
    feet = np.maximum(np.cos(7.5 * fan), 0) * part.edge(0.055 - np.abs(part.u - 0.37), 0.03) * (np.abs(fan) < 1)
    part.shade(feet, 0.30 * amount)


def strands(canvas: Canvas, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Return the brightness of the hair, and its sideways swing.

    Strands fan out from the crown and are bent by waves; a band of shine lies across the top.
    """
    waves = np.sin(13 * canvas.v + face.phases[3] + 3 * canvas.u) * face.wave
    fan = canvas.u / (canvas.v + 1.6) + 0.045 * waves
    lines = 0.10 * np.sin(37 * fan + face.phases[4]) + 0.09 * np.sin(62 * fan + face.phases[5])
    shine = 0.30 * canvas.glow(0.12 + 0.3 * face.parting, -0.54, 0.28, 0.06)
    return 0.84 + lines + shine + 0.11 * waves, 0.030 * waves


def hair_outline(canvas: Canvas, face: Face, swing: np.ndarray) -> np.ndarray:
    """Return the distance inside the outline of all hair: round above the temples, falling straight below."""
    rise = np.minimum(canvas.v + 0.12, 0) * (1 / (0.56 + face.hair_volume))
    room = 1 - rise * rise
    wide = (face.width + face.hair_volume) * np.sqrt(np.maximum(room, 0)) + np.minimum(room, 0)
    return wide + swing + 0.07 * np.maximum(canvas.v + 0.12, 0) - np.abs(canvas.u)


def back_hair(canvas: Canvas, face: Face, texture: np.ndarray, inside: np.ndarray) -> None:
    """Paint the long hair behind neck and shoulders."""
    canvas.paint(canvas.edge(inside) * canvas.edge(face.hair_length - canvas.v, 0.05), 0.62 * texture, face.hair)


def hair(canvas: Canvas, face: Face, texture: np.ndarray, inside: np.ndarray) -> None:
    """Paint the hair on the head: above the hairline and beside the face, with bangs and sideburns."""
    shown, u, v = face.shown, canvas.u, canvas.v
    if shown["Bald"]:
        canvas.shade(canvas.glow(-0.10, -0.50, 0.12, 0.07), -0.22)
        part = canvas.mirrored(face.width + 0.2, -0.35, 0.1)
        part.blend(np.minimum(part.glow(face.width + 0.01, -0.12, 0.045, 0.10), 0.7), scaled(face.hair, 0.9))
        return
    side = np.abs(u)
    across = side * (1 / face.width)
    square = np.minimum(across * across, 1)
    fall = 0.34 * square * square + 0.14 * (u - face.parting) ** 2
    temples = face.temples * np.exp(-(((across - 0.58) * (1 / 0.22)) ** 2))
    line = face.hairline + fall - temples + 0.010 * np.sin(23 * u + face.phases[7])
    if shown["Bangs"]:
        ragged = 0.025 * np.sin(17 * u + face.phases[5]) + 0.018 * np.sin(41 * u + face.phases[4])
        line = np.maximum(line, -0.225 + ragged + 0.10 * (u - face.parting))
    # beside the face, hair covers what lies outside of `edge`: long locks overlap the cheeks
    edge = face.width - 0.035 if not face.male else face.width - 0.015
    bottom = face.hair_length - 0.02 if not face.male else 0.0
    top = canvas.edge(line - v, 0.03)
    beside = canvas.edge(side - edge - 0.06 * np.maximum(v - 0.25, 0), 0.02) * canvas.edge(bottom - v, 0.06)
    within = canvas.edge(inside)
    mask = within * np.maximum(top, beside)
    canvas.shade(canvas.edge(line + 0.045 - v, 0.10) * within * (across < 1), 0.16)  # shadow on the forehead
    canvas.paint(mask, texture, face.hair)
    if shown["Sideburns"]:
        part = canvas.mirrored(face.width + 0.05, -0.22, 0.26)
        burns = part.edge(part.u - face.width + 0.07, 0.02) * part.edge(face.width + 0.01 - part.u)
        part.blend(0.85 * burns * part.between(-0.20, 0.22, 0.05), scaled(face.hair, 0.8))


def beard(canvas: Canvas, face: Face, cover: np.ndarray) -> None:
    """Paint beard, goatee or stubble on the lower face of a man; the mouth is drawn over them."""
    shown = face.shown
    stubble, goatee = shown["5_o_Clock_Shadow"] > 0, shown["Goatee"] > 0
    full = not shown["No_Beard"] and not (goatee or stubble or shown["Mustache"])
    if not face.male or not (stubble or goatee or full):
        return
    side, v = np.abs(canvas.u), canvas.v
    jaw = cover * canvas.edge(v - 0.34 + 0.55 * np.maximum(side - 0.20, 0), 0.10)
    grain = 0.85 + 0.15 * np.sin(57 * canvas.u + face.phases[3]) * np.sin(49 * v + face.phases[4])
    if stubble:
        canvas.shade(jaw * grain, (0.36, 0.30, 0.25))
    colour = scaled(face.hair, 0.85)
    if full:
        canvas.blend(0.75 * jaw * grain, colour)
    if goatee:
        chin = TEMPLE + face.length
        patch = canvas.ellipse(0, chin - 0.09, 0.155, 0.12, 0.05)
        sides = canvas.edge(0.030 - np.abs(side - 0.165), 0.02) * canvas.between(0.36, chin - 0.10, 0.04)
        canvas.blend(0.85 * cover * grain * np.maximum(patch, sides), colour)


def hat(canvas: Canvas, face: Face) -> None:
    """Paint a hat with a band and a brim, and its shadow on the forehead."""
    if not face.shown["Wearing_Hat"]:
        return
    u, v = canvas.u, canvas.v
    brim = -0.33 + 0.16 * u * u
    outer = face.width + face.hair_volume + 0.03
    canvas.shade(canvas.between(brim - 0.02, brim + 0.13, 0.05) * (np.abs(u) < face.width), 0.35)
    radius = np.sqrt((u / outer) ** 2 + (np.minimum(v + 0.33, 0) / 0.48) ** 2)
    dome = canvas.edge((1 - radius) * outer) * canvas.edge(brim + 0.03 - v)
    tone = 0.86 + 0.22 * canvas.glow(-0.15, -0.62, 0.2, 0.14) - 0.3 * np.maximum(np.abs(u) - 0.25, 0)
    canvas.paint(dome, tone, face.accent)
    canvas.blend(dome * canvas.between(brim - 0.12, brim - 0.02), scaled(face.accent, 0.45))
    wide = canvas.edge(outer + 0.13 - np.abs(u))
    canvas.blend(wide * canvas.between(brim - 0.035, brim + 0.045), scaled(face.accent, 0.75))
