"""The image array of one run, resident in memory, and the batches cut from it."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.common import parquet
from scripts.common.errors import UserError
from scripts.common.seeds import seed_from

SIDE = 64
PADDING = 4


class Images:
    """The images of one split: uint8 [N, H, W, 3] with labels and sex, all on one device.

    A GPU holds them as uint8 (2.4 GB for all of CelebA), so that no loader is needed; on a CPU they
    stay in the mapped file, whose pages all jobs share (mapped copy-on-write: the file is never written to).
    """

    def __init__(self, array: np.ndarray, rows: pd.DataFrame, device: torch.device) -> None:
        """Take `array` uint8 [all images, H, W, 3] and `rows`: row_id, position, label, male."""
        self.rows = rows.reset_index(drop=True)
        self.device = device
        self.positions = torch.as_tensor(self.rows["position"].to_numpy(), device=device)
        if device.type == "cuda":
            self.array = torch.from_numpy(array[self.rows["position"].to_numpy()]).to(device)
            self.positions = torch.arange(len(self.rows), device=device)
        else:
            self.array = torch.from_numpy(array)
        self.row_ids = torch.as_tensor(self.rows["row_id"].to_numpy(), device=device)
        self.labels = torch.as_tensor(self.rows["label"].to_numpy(), dtype=torch.long, device=device)
        self.male = torch.as_tensor(self.rows["male"].to_numpy(), dtype=torch.bool, device=device)

    def __len__(self) -> int:
        return len(self.rows)

    def bytes_of(self, indices: Tensor) -> Tensor:
        """Return the images as uint8 [B, 3, H, W], laid out channels-last."""
        return self.array[self.positions[indices]].permute(0, 3, 1, 2)

    def centre(self, indices: Tensor) -> Tensor:
        """Return float32 [B, 3, 64, 64] in [0, 1]: the published evaluation crop."""
        return to_float(centre_crop(self.bytes_of(indices)))


def to_float(images: Tensor) -> Tensor:
    """Return uint8 images as channels-last float32 in [0, 1]; no mean or variance is taken out."""
    return images.contiguous(memory_format=torch.channels_last).float().div_(255)


def centre_crop(images: Tensor) -> Tensor:
    """Cut the middle 64x64 from each image [B, 3, H, W]."""
    top, left = (images.shape[2] - SIDE) // 2, (images.shape[3] - SIDE) // 2
    return images[:, :, top : top + SIDE, left : left + SIDE]


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image [B, 3, H, W] left to right with probability one half."""
    flip = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(flip[:, None, None, None], images.flip(3), images)


def random_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Cut a random 64x64 window from each image after padding it by 4 black pixels on all sides."""
    padded = F.pad(images, (PADDING,) * 4).permute(0, 2, 3, 1)
    batch, height, width, _ = padded.shape
    device = images.device
    top = torch.randint(height - SIDE + 1, (batch, 1), generator=generator, device=device)
    left = torch.randint(width - SIDE + 1, (batch, 1), generator=generator, device=device)
    span = torch.arange(SIDE, device=device)
    rows, columns = (top + span)[:, :, None], (left + span)[:, None, :]
    return padded[torch.arange(batch, device=device)[:, None, None], rows, columns].permute(0, 3, 1, 2)


def image_array(path: str, images: int) -> np.ndarray:
    """Return the array file of all images, mapped: uint8 [images, H, W, 3].

    Raises:
        UserError: the file is missing, cut short, or holds something else.
    """
    try:
        array = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: damaged or no array file ({error}); delete it and run the workflow") from error
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path}: an archive of arrays, not one array; delete it and run the workflow")
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3 or len(array) != images:
        raise UserError(
            f"{path}: holds {array.dtype} {list(array.shape)}, expected uint8 [{images}, height, width, 3]; "
            "delete it and run the workflow"
        )
    return array


def load_split(
    images_path: str, index_path: str, splits_path: str, split: str, device: torch.device, sample: int | None = None
) -> Images:
    """Return the images of a split ("train", "valid", "test") that are in the image array.

    `sample` takes so many of them at random, the same ones for every run.

    Raises:
        UserError: none of the split's rows has an image, or a file is damaged.
    """
    index, splits = parquet.read(index_path), parquet.read(splits_path)
    rows = index.merge(splits[splits["split"] == split], on="row_id", how="inner", validate="one_to_one")
    if rows.empty:
        raise UserError(f"{index_path}: no image belongs to the {split} part; raise faces.rows or use more images")
    if sample is not None and sample < len(rows):
        rows = rows.sample(sample, random_state=seed_from("sample", split) % 2**32)
    return Images(image_array(images_path, len(index)), rows.sort_values("row_id"), device)
