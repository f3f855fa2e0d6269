"""Fractions written in points of a percent, for figures, tables and pages."""


def points(value: float, digits: int = 1, signed: bool = False) -> str:
    """Return a fraction in points, 0.181 as "18.1"; with a sign on demand, never minus zero."""
    text = f"{100 * value:.{digits}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return f"+{text}" if signed and float(text) > 0 else text.replace("-", "−")
