"""Numbers as people and spreadsheets write them: thousands separators, decimal commas, a sign in front."""

import pyarrow as pa
import pyarrow.compute as pc

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
COMMA_GROUPS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"  # 1,234,567.8
POINT_GROUPS = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$"  # 1.234.567,8
SEPARATORS = r" '’\x{a0}\x{202f}"
OTHER_GROUPS = rf"^[+-]?[1-9]\d{{0,2}}([{SEPARATORS}]\d{{3}})+([.,]\d+)?$"  # 1 234 567,8
NO_SEPARATOR = f"^[^{SEPARATORS}]*$"
WHOLE = r"^[+-]?\d+$"
DECIMAL_COMMA = r"^[+-]?\d*,\d+$"
CODE = r"^[+-]?0\d"  # 007 is the code of something


Text = pa.Array | pa.ChunkedArray


def parse_numbers(column: Text, decimal_comma: bool = False) -> tuple[pa.ChunkedArray, str] | None:
    """Numbers of a column of text, and what had to be undone: "", "thousands separators" or "decimal commas".

    Args:
        column: strings without blanks at their ends, null where a value is missing.
        decimal_comma: whether other columns of the file show that its numbers have decimal commas, which decides what
            1,234 and 1.234 mean. Otherwise 1,234 has a thousands separator and 1.234 a decimal point.

    Returns:
        int64 (no fraction anywhere) or float64 with the same nulls; None if a value is no number, if all are missing,
        or if one has a leading zero (007), which numbers would lose.
    """
    column = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    numbers = _cast(column)
    if numbers is None and not _is_words(column):
        column = _without(column, r"^\+")
        numbers = _cast(column)
    elif numbers is None:
        return None
    if column.null_count == len(column) or _any(column, CODE):
        return None
    if not decimal_comma or not _all(column, POINT_GROUPS, WHOLE):
        if numbers is not None:
            return numbers, ""
        if not decimal_comma and _all(column, PLAIN, COMMA_GROUPS):
            return _cast(_without(column, ",")), "thousands separators"
    if _any(column, OTHER_GROUPS) and _all(column, OTHER_GROUPS, NO_SEPARATOR):
        parsed = parse_numbers(_without(column, f"[{SEPARATORS}]"), decimal_comma)
        return None if parsed is None else (parsed[0], "thousands separators")
    if _all(column, DECIMAL_COMMA, POINT_GROUPS, WHOLE):
        grouped = _any(column, r"\.")
        points = pc.replace_substring(_without(column, r"\."), ",", ".")
        return _cast(points), "thousands separators" if grouped else "decimal commas"
    return None


def shows_decimal_comma(column: Text) -> bool:
    """Whether a column can only be read with decimal commas (0,75), so that other columns are read so as well."""
    if not pc.any(pc.match_substring(column, ",")).as_py() or _is_words(column):
        return False
    return parse_numbers(column) is not None and not _all(column, PLAIN, COMMA_GROUPS)


def _matches(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.match_substring_regex(column, pattern)


def _all(column: pa.ChunkedArray, *patterns: str) -> bool:
    """Whether every value that is not null matches one of the patterns."""
    rest = column
    for pattern in patterns:
        rest = rest.filter(pc.invert(_matches(rest, pattern)))
    return rest.null_count == len(rest)


def _any(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(_matches(column, pattern)).as_py())


def _without(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.replace_substring_regex(column, pattern, "")


def _is_words(column: pa.ChunkedArray) -> bool:
    """Whether the first value holds no digit, or a letter other than that of an exponent, so that it is no number."""
    first = next((str(value) for value in column.drop_null().slice(0, 1)), "")
    return not any(sign.isdigit() for sign in first) or any(sign.isalpha() and sign not in "eE" for sign in first)


def _cast(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return int64, or float64 if there are fractions; None if a value is spelled otherwise."""
    numbers = None
    for kind in (pa.float64(), pa.int64()):  # in this order, since the cast to whole numbers also accepts 0x10
        try:
            numbers = column.cast(kind)
        except pa.ArrowInvalid:
            break
    return numbers
