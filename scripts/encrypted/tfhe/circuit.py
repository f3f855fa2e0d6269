"""A network as a circuit of concrete-python. Runs in the environment of `encrypted_tfhe_environment` only."""

import numpy as np
from concrete import fhe
from concrete.fhe.compilation.configuration import SecurityLevel

from scripts.encrypted.tfhe.nets import KERNEL, Net, relu

SECURITY = SecurityLevel.SECURITY_128_BITS


def patches(maps, kernel: int, stride: int):  # noqa: ANN201
    """Return the surroundings of the places of encrypted maps [g, g, c] as rows [places, kernel^2 * c].

    As `nets.patches` does in clear; the compiler's own convolution takes no zeros around the maps.
    """
    side, _, channels = maps.shape
    edge = kernel // 2
    padded = maps
    if edge:
        padded = fhe.zeros((side + 2 * edge, side + 2 * edge, channels))
        padded[edge:-edge, edge:-edge, :] = maps
    shifted = [
        padded[top : top + side : stride, left : left + side : stride, :].reshape((-1, channels))
        for top in range(kernel)
        for left in range(kernel)
    ]
    return np.concatenate(tuple(shifted), axis=1) if len(shifted) > 1 else shifted[0]


def compiled(net: Net, calibration: np.ndarray, p_error: float, simulated: bool = False) -> fhe.Circuit:
    """Return the circuit of one image [grid, grid, channels] to its encrypted logits [classes].

    Args:
        net: its weights are constants of the circuit, in clear.
        calibration: inputs [n, grid, grid, channels] from which the widths of all sums are taken.
        p_error: allowed probability of a wrong look-up.
        simulated: whether the circuit is for simulation in clear instead of encrypted runs.
    """
    layout = net.layout
    look_ups = [
        fhe.univariate(lambda sums, thresholds=thresholds: relu(np.asarray(sums), thresholds))
        for thresholds in (net.thresholds_1, net.thresholds_2)
    ]

    def classify(image):  # noqa: ANN202
        maps = patches(image, layout.kernel, 1) @ net.conv_1 + net.bias_1
        if layout.first_relu:
            maps = look_ups[0](maps)
        maps = maps.reshape((layout.grid, layout.grid, layout.filters))
        features = look_ups[1](patches(maps, KERNEL, layout.stride) @ net.conv_2 + net.bias_2)
        return features.reshape((-1,)) @ net.classifier + net.bias_3

    settings = fhe.Configuration(
        p_error=p_error,
        fhe_simulation=simulated,
        fhe_execution=not simulated,
        loop_parallelize=False,
        security_level=SECURITY,
    )
    inputs = [image.astype(np.int64) for image in calibration]
    return fhe.Compiler(classify, {"image": "encrypted"}).compile(inputs, settings)
