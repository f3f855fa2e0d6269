"""The figure of TFHE says what its numbers say, and keeps predictions apart from executed costs."""

import numpy as np
import pytest

from scripts.common import figures
from scripts.encrypted.drawings import tfhe
from tests.encrypted.frames import frames


@pytest.fixture(scope="module")
def held():
    return frames()


def drawn(held: dict) -> tuple:
    with figures.style():
        return tfhe.draw_tfhe(held)


def test_without_tfhe_the_figure_says_how_to_switch_it_on(held):
    figure, _ = drawn(held | {"tfhe": held["tfhe"].head(0)})
    text = " ".join(figure.axes[0].texts[0].get_text().split())
    assert "off by default" in text and "tfhe" in text and "config" in text


def test_tfhe_compares_nets_of_one_size_and_with_their_relu(held):
    rows, nets = tfhe.tfhe_rows(held["tfhe"]), held["tfhe"][held["tfhe"]["part"] == "net"].set_index("net")
    per_net, done = nets["cpu_seconds"], tfhe.ratios(tfhe.part(rows, "net"), tfhe.DONE)
    assert done[16] == pytest.approx(per_net["16x16 pixels"] / per_net["16x16 DCT 8 coefficients"])
    enlarged = "8x8 digits enlarged to 16x16, DCT 8 coefficients"
    assert done[8] == pytest.approx(per_net["8x8 digits pixels"] / per_net[enlarged])
    cheaper = rows.copy()  # a cheap net without its ReLU does not stand for pixels
    cheaper.loc[cheaper["net"] == "8x8 digits pixels, no first ReLU", "cpu_seconds"] = 0.01
    assert tfhe.ratios(tfhe.part(cheaper, "net"), tfhe.DONE)[8] == done[8]
    ratio = per_net["8x8 digits pixels, no first ReLU"] / per_net["8x8 digits pixels"]
    assert tfhe.pruned(rows)["8x8 digits pixels"] == pytest.approx(ratio)
    assert "p_error" not in set(rows["part"])  # of a table of claims
    text = " ".join(tfhe.finding(rows))
    assert f"executed: {done[8]:.1f} times at 8x8, {done[16]:.1f} times at 16x16." in text
    assert "0 of 9,000 (DCT), 90 of 9,000 (pixels); 0 of 3,000 with p_error 1e-12, at 4.3 times the CPU." in text


def test_tfhe_without_executed_nets_shows_predictions_alone(held):
    sizes = held["tfhe"][held["tfhe"]["part"] == "size"]
    figure, _ = drawn(held | {"tfhe": sizes})
    assert "executed:" not in figure.get_suptitle() and len(figure.axes) == 1
    late = held["tfhe"].assign(finished=False, cpu_seconds=np.nan)
    figure, _ = drawn(held | {"tfhe": late})
    assert "not finished in 900 s" in " ".join(figure.axes[0].get_yticklabels()[0].get_text().split())
    assert "executed:" not in figure.get_suptitle()
