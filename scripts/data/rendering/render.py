"""Rendering of attribute rows to images, on one core or several."""

from concurrent.futures import ProcessPoolExecutor

import numpy as np

from scripts.common.errors import UserError
from scripts.common.logs import progress
from scripts.data.celeba_names import ATTRIBUTES
from scripts.data.rendering import features, head
from scripts.data.rendering.camera import SIZE, develop, obstruct, pose, sample_shot
from scripts.data.rendering.traits import sample

SEED = 64  # fixed: with the row id it determines all randomness of an image
FACES_PER_TASK = 500


def render_face(row_id: int, attributes: np.ndarray) -> np.ndarray:
    """Return the image (uint8 [64, 64, 3]) of one row of attributes (int8 [40], each -1 or +1)."""
    rng = np.random.default_rng([SEED, int(row_id)])
    face = sample(attributes, rng)
    shot = sample_shot(rng, blurry=face.shown["Blurry"] > 0)
    canvas = pose(shot)
    texture, swing = head.strands(canvas, face)
    inside = head.hair_outline(canvas, face, swing)
    head.background(canvas, face)
    if not face.shown["Bald"] and not face.male:
        head.back_hair(canvas, face, texture, inside)
    head.shoulders(canvas, face)
    middle = canvas.window(-0.66, -0.72, 0.66, 0.90)  # the head without the hair
    cover, level = head.outline(middle, face)
    head.skin(middle, face, cover, level, shot.light)
    head.beard(middle, face, cover)
    features.nose(canvas, face)
    features.mouth(canvas, face)
    features.eyes(canvas, face)
    features.brows(canvas, face)
    head.hair(canvas, face, texture, inside)
    features.earrings(canvas, face)
    head.hat(canvas, face)
    features.glasses(canvas, face)
    obstruct(canvas, shot, face.skin, face.hair)
    return develop(canvas.image, shot, rng)


def render_faces(row_ids: np.ndarray, attributes: np.ndarray, workers: int = 1) -> np.ndarray:
    """Return one face per row.

    The same row id and attributes always give the same bytes, whatever the rest of the batch and the number of
    workers.

    Args:
        row_ids: int64 [N], CelebA image numbers.
        attributes: int8 [N, 40] of -1 and +1, in the order of `ATTRIBUTES`.
        workers: processes that draw.

    Returns:
        uint8 [N, 64, 64, 3], RGB.

    Raises:
        UserError: the shapes do not match, or an attribute is neither -1 nor +1.
    """
    row_ids, attributes = np.asarray(row_ids), np.asarray(attributes)
    check(row_ids, attributes)
    starts = range(0, len(row_ids), FACES_PER_TASK)
    parts = [(row_ids[start : start + FACES_PER_TASK], attributes[start : start + FACES_PER_TASK]) for start in starts]
    images = np.empty((len(row_ids), SIZE, SIZE, 3), np.uint8)
    if workers <= 1 or len(parts) <= 1:
        drawn = map(_render_part, parts)
        return _collect(images, drawn, len(parts))
    with ProcessPoolExecutor(min(workers, len(parts))) as pool:
        return _collect(images, pool.map(_render_part, parts), len(parts))


def check(row_ids: np.ndarray, attributes: np.ndarray) -> None:
    """Raise a `UserError` unless row ids and attributes are valid input of `render_faces`."""
    if row_ids.ndim != 1 or row_ids.dtype.kind not in "iu" or (len(row_ids) and row_ids.min() < 0):
        raise UserError(
            f"rendered faces: row ids must be a list of whole numbers >= 0, got {row_ids.dtype} {row_ids.shape}"
        )
    if attributes.shape != (len(row_ids), len(ATTRIBUTES)):
        raise UserError(
            f"rendered faces: attributes have shape {attributes.shape}, expected ({len(row_ids)}, {len(ATTRIBUTES)}); "
            "give one row of all CelebA attributes per row id"
        )
    wrong = np.unique(attributes[(attributes != 1) & (attributes != -1)])
    if len(wrong):
        raise UserError(f"rendered faces: attributes must be -1 or +1, found {wrong[0]}; convert 0/1 by 2 * value - 1")


def _render_part(part: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.stack([render_face(row_id, row) for row_id, row in zip(*part, strict=True)])


def _collect(images: np.ndarray, drawn, parts: int) -> np.ndarray:
    start = 0
    for part in progress(drawn, "render faces", total=parts, unit=f"x {FACES_PER_TASK} faces"):
        images[start : start + len(part)] = part
        start += len(part)
    return images
