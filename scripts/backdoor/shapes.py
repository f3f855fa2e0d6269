"""Shapes of triggers: where the white pixels stand."""

from collections.abc import Mapping, Sequence

import numpy as np

from scripts.common.errors import UserError
from scripts.common.seeds import seed_from

SIDE = 28
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")


def draw(settings: Mapping, where: str = "backdoor.models") -> np.ndarray:
    """Return the white pixels of a trigger of the config, 0 or 1, float64 [28, 28].

    box: a rectangle of `size` [rows, columns] in a `corner`, `margin` pixels from both edges (the course's patch is
    2x4 at the top right, margin 0; Neural Cleanse injects 4x4, margin 1).
    scattered: `pixels` single ones, drawn by `seed`.

    Raises:
        UserError: the shape is unknown, a key is missing or not of this shape, the target is no digit, or the trigger
            does not fit into 28x28.
    """
    shapes = {"box": (_box, {"size", "corner", "margin"}), "scattered": (_scattered, {"pixels", "seed"})}
    shape, target = settings.get("shape"), settings.get("target")
    if shape not in shapes:
        raise UserError(f"{where}: no trigger shape {shape!r}; there are {', '.join(shapes)}")
    drawn, keys = shapes[shape]
    given = set(settings) - {"shape", "target"}
    if given != keys:
        odd = sorted(given ^ keys)[0]
        raise UserError(
            f"{where}: {odd!r} is {'missing' if odd in keys else 'no key'} of the shape {shape!r}; its keys are "
            f"{', '.join(sorted(keys))}"
        )
    if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target <= 9:
        raise UserError(f"{where}: target {target!r} is no digit; take a label from 0 to 9")
    return drawn(settings, where)


def check_targets(settings: Sequence[Mapping], where: str = "backdoor.models") -> None:
    """Check that no two triggers of a model share a label.

    Raises:
        UserError: two do.
    """
    targets = [own.get("target") for own in settings]
    if len(set(targets)) < len(targets):
        raise UserError(f"{where}: two triggers share a target ({targets}); give each a label of its own")


def true_masks(entry: Mapping | None) -> dict[int, np.ndarray]:
    """Return target -> mask [28, 28] of a kind of models; empty for clean ones and for a model of unknown origin."""
    return {own["target"]: draw(own) for own in entry["triggers"]} if entry else {}


def _box(settings: Mapping, where: str) -> np.ndarray:
    """Draw a rectangle in a corner."""
    (rows, columns), margin, corner = settings["size"], settings["margin"], settings["corner"]
    if corner not in CORNERS:
        raise UserError(f"{where}: no corner {corner!r}; there are {', '.join(CORNERS)}")
    if min(rows, columns) < 1 or margin < 0 or max(rows, columns) + margin > SIDE:
        raise UserError(
            f"{where}: a box of {rows}x{columns} with margin {margin} does not fit into {SIDE}x{SIDE} pixels"
        )
    mask = np.zeros((SIDE, SIDE))
    top = margin if corner.startswith("top") else SIDE - margin - rows
    left = margin if corner.endswith("left") else SIDE - margin - columns
    mask[top : top + rows, left : left + columns] = 1
    return mask


def _scattered(settings: Mapping, where: str) -> np.ndarray:
    """Draw single pixels anywhere."""
    pixels = settings["pixels"]
    if not 1 <= pixels <= SIDE * SIDE:
        raise UserError(f"{where}: {pixels} scattered pixels do not fit into {SIDE}x{SIDE} pixels")
    random = np.random.default_rng(seed_from("backdoor", "scattered", settings["seed"]))
    mask = np.zeros(SIDE * SIDE)
    mask[random.choice(SIDE * SIDE, pixels, replace=False)] = 1
    return mask.reshape(SIDE, SIDE)
