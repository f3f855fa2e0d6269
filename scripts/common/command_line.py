"""A parser of command lines in which no option is dropped in silence."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from scripts.common.errors import UserError


class Once(argparse.Action):
    """Store the value of an option that may be given only once; argparse's default silently keeps the last one."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """Store the value, or end with a line if the option has one."""
        given = vars(namespace).setdefault("_given", set())
        if option_string and self.dest in given:
            parser.error(f"{option_string} is given twice; keep one")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def new_parser(**options) -> argparse.ArgumentParser:
    """Return a parser whose options may be given once each, except those with `action="extend"`; no abbreviations."""
    parser = argparse.ArgumentParser(allow_abbrev=False, **options)
    parser.register("action", None, Once)
    parser.register("action", "store", Once)
    return parser


def start_from_make(description: str, start: Callable[[Mapping[str, str], str, Sequence[str]], int]) -> None:
    """End the process with the status of a program that a make target starts; a user's mistake is one line.

    Args:
        start: takes the environment, which holds the variables given to make, the number of cores, and config files.
    """
    parser = new_parser(description=description)
    parser.add_argument("--cores", default="all", help="how many cores to use")
    parser.add_argument("--config", action="extend", nargs=1, default=[], help="further config files")
    options = parser.parse_args()
    try:
        sys.exit(start(os.environ, options.cores, options.config))
    except UserError as error:
        sys.exit(f"Error: {error}")
