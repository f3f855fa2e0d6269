"""Two folders in which a client and a server have worked by hand."""

import os
import shutil

import pytest

from scripts.encrypted import client, networks, server
from tests.encrypted.hand import ABOUT, decrypting, encrypting, inferring, put, state
from tests.encrypted.small import draw, network


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """Two folders after one round: `mine`, with all that the client has, and `theirs`."""
    folder = tmp_path_factory.mktemp("hand")
    known = {f"dct-5.seed{seed}": network(seed) for seed in (1, 2)}
    known |= {f"pooling-16.seed{seed}": network(seed, 16) for seed in (1, 2)}
    mine, theirs = folder / "mine", folder / "theirs"
    draw(mine / "seven.png", 3)
    networks.write(known, mine / "net.safetensors", ABOUT)
    client.main(["keys", "--keys", str(mine)])
    client.main(encrypting(mine))
    theirs.mkdir()
    for name in ("server.context", "sent.bin", "sent.json", "net.safetensors"):
        put(theirs / name, (mine / name).read_bytes())
    server.main(inferring(theirs))
    for name in ("reply.bin", "reply.json"):
        put(mine / name, (theirs / name).read_bytes())
    client.main(decrypting(mine))
    return folder


@pytest.fixture
def folders(done, tmp_path):
    """Both folders anew, whose files a test may replace (`put`); links, since keys of 46 MB take long to copy."""
    for name in ("mine", "theirs"):
        shutil.copytree(done / name, tmp_path / name, copy_function=os.link)
    before = state(done / "mine"), state(done / "theirs")
    yield tmp_path / "mine", tmp_path / "theirs"
    assert (state(done / "mine"), state(done / "theirs")) == before, "a test has changed the files of all others"
