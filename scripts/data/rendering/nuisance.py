"""The calibrated constants of the renderer: how clearly an image shows each attribute.

On real photographs a good classifier of the study's label reaches an accuracy of about 0.70, although the attributes
themselves allow 0.864: annotations are noisy, and some attributes are hard to see. The rendered faces are made equally
hard in two ways. Each attribute's cue is noisy (the tables below), and the photograph is imperfect (`STRENGTH`, used
by camera.py). `python -m scripts.data.calibrate_faces` measures the result; run it again after changing a constant.
"""

import numpy as np

from scripts.data.celeba_names import ATTRIBUTES

# Scales pose, light, colour cast, blur, occlusion and sensor noise; 0 gives a studio portrait.
STRENGTH = 0.7

# Cues of degree: the trait has the value `sign * gap / 2 + normal noise`, so even a classifier that reads it exactly
# is right about a balanced attribute only with probability Phi(gap / 2): 0.84 at a gap of 2.
GAPS = {
    "Arched_Eyebrows": 2.0,
    "Bags_Under_Eyes": 1.8,
    "Big_Lips": 1.4,
    "Big_Nose": 1.7,
    "Bushy_Eyebrows": 2.0,
    "Chubby": 2.0,
    "Double_Chin": 2.2,
    "High_Cheekbones": 1.6,
    "Narrow_Eyes": 2.0,
    "Oval_Face": 1.6,
    "Pale_Skin": 3.0,
    "Pointy_Nose": 1.4,
    "Receding_Hairline": 2.2,
    "Smiling": 3.6,
    "Young": 2.2,
}

LIMIT = 2.5  # largest absolute value of a trait

# Cues of presence: the probability of drawing them when the attribute is +1, and when it is -1.
PROBABILITIES = {
    "5_o_Clock_Shadow": (0.70, 0.05),
    "Bald": (0.95, 0.002),
    "Bangs": (0.88, 0.04),
    "Black_Hair": (0.88, 0.05),
    "Blond_Hair": (0.92, 0.02),
    "Blurry": (0.70, 0.03),
    "Brown_Hair": (0.80, 0.07),
    "Eyeglasses": (0.97, 0.004),
    "Goatee": (0.85, 0.02),
    "Gray_Hair": (0.90, 0.01),
    "Heavy_Makeup": (0.85, 0.08),
    "Male": (0.96, 0.03),
    "Mouth_Slightly_Open": (0.90, 0.08),
    "Mustache": (0.95, 0.01),
    "No_Beard": (0.99, 0.12),
    "Rosy_Cheeks": (0.70, 0.05),
    "Sideburns": (0.80, 0.03),
    "Straight_Hair": (0.75, 0.15),
    "Wavy_Hair": (0.75, 0.12),
    "Wearing_Earrings": (0.75, 0.04),
    "Wearing_Hat": (0.95, 0.003),
    "Wearing_Lipstick": (0.90, 0.06),
    "Wearing_Necklace": (0.65, 0.04),
    "Wearing_Necktie": (0.80, 0.01),
}

# "Attractive" has no cue.


def cues(attributes: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Return the visible cue of each attribute (int8 [40], -1 or +1) in one image.

    Cues of degree are real numbers, about -gap/2 or +gap/2; cues of presence are 0.0 or 1.0. The draws do not depend
    on the attributes: with the same generator state, changing one attribute changes one cue.
    """
    noise = rng.standard_normal(len(ATTRIBUTES)).tolist()
    uniform = rng.random(len(ATTRIBUTES)).tolist()
    shown = {}
    for index, name in enumerate(ATTRIBUTES):
        sign = int(attributes[index])
        if name in GAPS:
            shown[name] = min(max(sign * GAPS[name] / 2 + noise[index], -LIMIT), LIMIT)
        elif name in PROBABILITIES:
            shown[name] = float(uniform[index] < PROBABILITIES[name][sign < 0])
    return shown
