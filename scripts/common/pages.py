"""What pages that run without a network share."""

import json


def embedded(value: object) -> str:
    """Return JSON that cannot end the script element that holds it."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", r"\u003c").replace("&", r"\u0026")
