"""What a verdict says of a user's model that is wrong on many clean digits."""

# Published models of these digits are right on 98.5 % or more (Wang et al. 2019), and a trigger counts as working from
# 90 % of the images on: a model that errs on more without one may fail or pass that for reasons of its own.
USUAL = 0.9


def remark(right: int, of: int) -> str:
    """Return what stands beside the verdict on a model by how many clean digits it gets right; "" from 90 % on."""
    return f", but right on {right / of:.0%} of the clean digits only" if right < USUAL * of else ""
