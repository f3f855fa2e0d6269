"""What the commands of client and server by hand share: a user's mistake is one line, and no input is written over."""

import sys
from collections.abc import Callable
from pathlib import Path

from scripts.common.errors import UserError


def tell(start: Callable[[], str]) -> None:
    """Print what a command returns; a user's mistake, or a file that cannot be used, ends the process with one line."""
    try:
        print(start())
    except UserError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {error.filename2 or error.filename}: {error.strerror}; name another file or folder")


def check_output(output: str, ending: str, *inputs: str | Path) -> None:
    """Check that an output is called as it should be and is none of the inputs.

    Raises:
        UserError: its name has another ending, or it would replace an input.
    """
    if Path(output).suffix != ending:
        raise UserError(f"--out: {output} does not end in {ending}; name it so")
    for given in inputs:
        if Path(output).resolve() == Path(given).resolve():
            raise UserError(f"--out: {output} would replace what was given; name another file")
