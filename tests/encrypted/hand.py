"""Commands of client and server by hand, and what a refusal must be."""

import pytest

NAMES = ["zero", "one", "two"]
ABOUT = {"names": NAMES, "side": 8, "settings": ["dct-5", "pooling-16"], "seeds": [1, 2]}


def put(path, content):
    """Replace a file, never what it is a link to."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def options(command, **named):
    return [*command, *(text for key, value in named.items() for text in (f"--{key}", str(value)))]


def encrypting(folder, **changes):
    named = {"keys": folder, "image": folder / "seven.png", "network": folder / "net.safetensors"}
    return options(["encrypt"], **named | {"setting": "dct-5", "out": folder / "sent.bin"} | changes)


def inferring(folder, **changes):
    named = {"keys": folder, "sent": folder / "sent.bin", "network": folder / "net.safetensors"}
    return options([], **named | {"out": folder / "reply.bin"} | changes)


def decrypting(folder, **changes):
    named = {"keys": folder, "reply": folder / "reply.bin", "network": folder / "net.safetensors"}
    return options(["decrypt"], **named | {"out": folder / "logits.json"} | changes)


def state(folder):
    """Size and time of every file below a folder."""
    found = {path: path.stat() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {str(path): (about.st_size, about.st_mtime_ns) for path, about in found.items()}


def refused(main, arguments, *folders):
    """Return the line that a command ends with; it has written nothing."""
    before = [state(folder) for folder in folders]
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert [state(folder) for folder in folders] == before
    line = str(found.value.code)
    assert line.startswith("Error: ") and "\n" not in line
    return line
