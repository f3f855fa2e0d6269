"""Conditions: the parameters under which a metric was measured, as one text ("attack=apgd, eps=0.01, norm=linf")."""

import re

# a key is a lower-case word; a value holds neither "=" nor "," so that the text can be taken apart again
PAIR = r"[a-z][a-z0-9_]*=[^=,\s](?:[^=,]*[^=,\s])?"
PATTERN = re.compile(rf"(?:{PAIR}(?:, {PAIR})*)?")


def condition(**parameters: object) -> str:
    """Return the parameters as `key=value` pairs in alphabetical order of the keys; "" without any.

    Numbers are written as shortly as `%g` does, and a parameter of None is left out.

    Raises:
        ValueError: a key or value does not fit the pattern.
    """
    pairs = [f"{key}={_written(value)}" for key, value in sorted(parameters.items()) if value is not None]
    text = ", ".join(pairs)
    if not PATTERN.fullmatch(text):
        raise ValueError(f"no condition: {text!r}; keys are lower-case words, values hold neither '=' nor ','")
    return text


def parameters_of(text: str) -> dict[str, str]:
    """Return the parameters of a condition, as texts.

    Raises:
        ValueError: the text is malformed, or its keys are not in alphabetical order or occur twice.
    """
    if not PATTERN.fullmatch(text):
        raise ValueError(f"malformed condition {text!r}; write key=value pairs joined by ', '")
    pairs = [pair.split("=") for pair in text.split(", ")] if text else []
    keys = [key for key, _ in pairs]
    if keys != sorted(set(keys)):
        raise ValueError(f"condition {text!r}: keys must be in alphabetical order, each once")
    return dict(pairs)


def condition_value(text: str, key: str) -> str | None:
    """Return the value of one parameter of a condition, as text; None where it has no such key."""
    return parameters_of(text).get(key)


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
