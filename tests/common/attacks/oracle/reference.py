"""Run by test_oracle.py in a process of its own: attack a saved network with torchattacks.

Usage: python reference.py CASE.pt RESULT.json, with torchattacks on PYTHONPATH.
"""

import json
import sys

import torch
import torchattacks

from tests.common.attacks.oracle.problem import CASES, TEN, name_of, network


def main(case: str, result: str) -> None:
    torch.set_num_threads(1)
    saved = torch.load(case, weights_only=True)
    model, x, y = network(), saved["x"], saved["y"]
    model.load_state_dict(saved["weights"])
    model.eval()
    robust = {name_of(*case): attacked(model, x, y, *case[:4], classes=2) for case in CASES}
    model, x, y = network(10), saved["x10"], saved["y10"]
    model.load_state_dict(saved["weights10"])
    model.eval()
    robust |= {name_of(*case, classes=10): attacked(model, x, y, *case[:4], classes=10) for case in TEN}
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(robust, file)


def attacked(model, x, y, name: str, norm: str, eps: float, budget: int, classes: int) -> int:
    """The number of images that the public attack leaves standing."""
    options = {"norm": {"linf": "Linf", "l2": "L2"}[norm], "eps": eps, "seed": 0}
    if name == "apgd":
        attack = torchattacks.APGD(model, steps=budget, loss="ce" if classes == 2 else "dlr", **options)
    elif name == "apgd_targeted":
        attack = torchattacks.APGDT(model, steps=budget, n_classes=classes, **options)
    elif name.startswith("fab"):
        targeted = name == "fab_targeted"
        attack = torchattacks.FAB(model, steps=budget, n_classes=classes, multi_targeted=targeted, **options)
    else:
        attack = torchattacks.Square(model, n_queries=budget, **options)
    x_adv = attack(x, y)
    order = {"linf": torch.inf, "l2": 2}[norm]
    inside = torch.linalg.vector_norm((x_adv - x).flatten(1), order, dim=1) <= eps * (1 + 1e-4)
    with torch.no_grad():
        fooled = (model(x_adv).argmax(1) != y) & inside
    return int((~fooled).sum())


if __name__ == "__main__":
    main(*sys.argv[1:])
