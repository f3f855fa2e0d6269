"""A parser of command lines in which no option is dropped in silence."""

import argparse


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
