"""The traits of a face (colours, sizes, shapes), derived from the cues of one row.

What no attribute determines (skin tone, colour of eyes and clothes, proportions) is drawn from the row's generator.
Every row makes the same draws, so one attribute never shifts another's randomness.
"""

import colorsys
from dataclasses import dataclass

import numpy as np

from scripts.data.rendering.canvas import Colour, mix, scaled
from scripts.data.rendering.nuisance import cues

DARK_SKIN, TAN_SKIN, FAIR_SKIN, PALE_SKIN = (
    (0.40, 0.26, 0.19),
    (0.76, 0.55, 0.42),
    (0.92, 0.74, 0.63),
    (0.98, 0.92, 0.9),
)
BLACK, BROWN, BLOND, GRAY = (0.08, 0.07, 0.075), (0.33, 0.20, 0.11), (0.86, 0.70, 0.40), (0.70, 0.70, 0.70)
AUBURN, CHESTNUT = (0.45, 0.17, 0.08), (0.24, 0.15, 0.10)
EYES = ((0.28, 0.17, 0.09), (0.30, 0.20, 0.12), (0.33, 0.48, 0.62), (0.36, 0.46, 0.30), (0.45, 0.33, 0.18))
LIPSTICKS = ((0.75, 0.08, 0.16), (0.82, 0.22, 0.36), (0.60, 0.07, 0.16), (0.85, 0.33, 0.32))


@dataclass(frozen=True)
class Face:
    """All traits of one person, before the camera. Lengths are in face coordinates, fractions lie in [0, 1]."""

    shown: dict[str, float]  # the cues of nuisance.py
    male: bool
    age: float  # 0 young to 1 old
    skin: Colour
    width: float  # half width of the head at the temples
    length: float  # from the temples to the chin
    jaw: float  # 2 is an ellipse, above is square, below is pointed
    hair: Colour
    hair_length: float  # v at which the locks beside the face end
    hair_volume: float
    hairline: float  # v of the hairline in the middle of the forehead
    temples: float  # how far the hairline recedes at the temples
    parting: float
    wave: float  # 0 straight, 1 wavy
    eye_gap: float
    eye_size: float
    opening: float  # of the eyes; 1 is usual
    bags: float  # depth of the bags under the eyes
    iris: Colour
    lashes: float
    brow_height: float
    brow_arch: float
    brow_weight: float
    nose_width: float
    nose_length: float
    nose_point: float
    mouth_width: float
    mouth_height: float  # v of the line between the lips
    lips: float  # thickness
    smile: float
    open: float
    lip_colour: Colour
    makeup: Colour
    cloth: Colour
    accent: Colour  # hat, tie
    metal: Colour  # jewellery
    frame: Colour  # of the glasses
    frame_size: float
    dark_lenses: bool
    background: tuple[Colour, Colour]
    phases: list[float]  # of the waves in hair, cloth and background


def hair_colour(shown: dict[str, float], spread: list[float], pick: float) -> Colour:
    """Return a colour from the visible hair-colour cues; several cues mix, none gives an intermediate colour."""
    named = [(BLACK, "Black_Hair"), (BROWN, "Brown_Hair"), (BLOND, "Blond_Hair"), (GRAY, "Gray_Hair")]
    present = [colour for colour, name in named if shown[name]]
    if not present:
        colour = (CHESTNUT, AUBURN, mix(BROWN, BLOND, 0.55), mix(BLACK, BROWN, 0.6))[int(pick * 4)]
    elif len(present) == 1:
        colour = present[0]
    else:
        colour = mix(present[0], present[1], 0.25 + 0.5 * pick)
    brightness = 1 + 0.16 * spread[0]
    return scaled(mix(colour, (colour[0] + 0.03, colour[1], colour[2] - 0.03), spread[1]), brightness)


def skin_colour(shown: dict[str, float], tone: float) -> Colour:
    """Return the skin colour: widely spread tones, shifted towards white by paleness."""
    tone = min(max(0.66 + 0.20 * tone, 0.0), 1.0)
    colour = mix(DARK_SKIN, TAN_SKIN, tone / 0.5) if tone < 0.5 else mix(TAN_SKIN, FAIR_SKIN, (tone - 0.5) / 0.5)
    return mix(colour, PALE_SKIN, min(max(0.22 + 0.28 * shown["Pale_Skin"], -0.15), 0.95))


def sample(attributes: np.ndarray, rng: np.random.Generator) -> Face:
    """Return random traits of one face given its attributes (int8 [40], -1 or +1)."""
    shown = cues(attributes, rng)
    normal = iter(np.clip(rng.standard_normal(40), -2.2, 2.2).tolist())
    uniform = iter(rng.random(40).tolist())

    def vary(centre: float, spread: float) -> float:
        return centre + spread * next(normal)

    def choose(options: tuple) -> Colour:
        return options[int(next(uniform) * len(options))]

    def hue(saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
        return colorsys.hsv_to_rgb(
            next(uniform),
            saturation[0] + next(uniform) * (saturation[1] - saturation[0]),
            value[0] + next(uniform) * (value[1] - value[0]),
        )

    male = shown["Male"] > 0
    age = min(max(0.42 - 0.30 * shown["Young"], 0.0), 1.0)
    oval, chubby, brows = shown["Oval_Face"], max(shown["Chubby"], -1.0), shown["Bushy_Eyebrows"]
    skin = skin_colour(shown, next(normal))
    hair = hair_colour(shown, [next(normal), next(normal)], next(uniform))
    if not shown["Gray_Hair"]:
        hair = mix(hair, GRAY, 0.25 * age * next(uniform))
    else:
        next(uniform)
    opening = min(max(0.92 - 0.26 * shown["Narrow_Eyes"] + vary(0, 0.04), 0.25), 1.5)
    smile = shown["Smiling"] if shown["Smiling"] > 0 else 0.15 * shown["Smiling"]
    lipstick = choose(LIPSTICKS)
    bare_lips = mix(skin, (0.70, 0.32, 0.30), vary(0.42, 0.08))
    background = hue((0.05, 0.5), (0.15, 0.95))
    return Face(
        shown=shown,
        male=male,
        age=age,
        skin=skin,
        width=vary(0.475 if male else 0.455, 0.010) - 0.023 * oval + 0.018 * chubby,
        length=vary(0.75, 0.012) + 0.028 * oval - 0.008 * chubby,
        jaw=vary(2.7 if male else 2.25, 0.12) - 0.14 * oval + 0.30 * max(chubby, 0),
        hair=hair,
        hair_length=vary(0.75, 0.22),
        hair_volume=vary(0.065 if male else 0.095, 0.018) + (0.02 if shown["Wavy_Hair"] else 0.0),
        hairline=vary(-0.40, 0.016) - 0.035 * shown["Receding_Hairline"],
        temples=max(0.05 + 0.075 * shown["Receding_Hairline"], 0.0),
        parting=vary(0.0, 0.12),
        wave=vary(1.0, 0.1) if shown["Wavy_Hair"] else 0.0 if shown["Straight_Hair"] else 0.3,
        eye_gap=vary(0.205, 0.007),
        eye_size=vary(0.102 if male else 0.108, 0.004),
        opening=opening,
        bags=min(max(0.30 + 0.28 * shown["Bags_Under_Eyes"] + 0.08 * age, 0.0), 1.0),
        iris=choose(EYES),
        lashes=(0.25 if male else 0.6) + (0.4 if shown["Heavy_Makeup"] else 0.0),
        brow_height=vary(-0.185 if male else -0.200, 0.010),
        brow_arch=0.032 + 0.037 * shown["Arched_Eyebrows"],
        brow_weight=max(0.036 + (0.008 if male else 0.0) + 0.013 * brows, 0.016),
        nose_width=min(max(vary(0.088 if male else 0.080, 0.004) + 0.025 * shown["Big_Nose"], 0.045), 0.16),
        nose_length=vary(0.235, 0.010) + 0.014 * shown["Big_Nose"],
        nose_point=shown["Pointy_Nose"],
        mouth_width=vary(0.165, 0.008) + 0.022 * smile,
        mouth_height=vary(0.405, 0.012),
        lips=max(vary(0.036, 0.003) + 0.014 * shown["Big_Lips"] + (0.0 if male else 0.006), 0.016),
        smile=smile,
        open=(0.045 + 0.012 * next(uniform)) * shown["Mouth_Slightly_Open"],
        lip_colour=mix(bare_lips, lipstick, 0.8) if shown["Wearing_Lipstick"] else bare_lips,
        makeup=choose(((0.20, 0.16, 0.20), (0.35, 0.22, 0.35), (0.22, 0.28, 0.42), (0.40, 0.25, 0.18))),
        cloth=hue((0.05, 0.7), (0.1, 0.9)),
        accent=hue((0.3, 0.9), (0.2, 0.8)),
        metal=choose(((0.95, 0.82, 0.40), (0.92, 0.92, 0.95), (0.90, 0.88, 0.80))),
        frame=choose(((0.06, 0.05, 0.05), (0.10, 0.08, 0.08), (0.30, 0.16, 0.08), (0.35, 0.35, 0.38))),
        frame_size=vary(1.0, 0.07),
        dark_lenses=next(uniform) < 0.2,
        background=(background, scaled(background, 0.45 + 0.6 * next(uniform))),
        phases=[6.2832 * next(uniform) for _ in range(8)],
    )
