"""Claims: one row per claim and protocol, with everything that its verdict was computed from."""

import pyarrow as pa

text, whole, real = pa.string(), pa.int64(), pa.float64()

CLAIMS = pa.schema(
    [
        ("study", text),
        ("claim", text),  # unique in the study
        ("protocol", text),
        ("kind", text),  # published: the paper says so; finding: we say so of the paper
        ("place", text),  # where the claim stands
        ("says", text),
        ("published", real),  # null where the source gives no number
        ("unit", text),
        ("read_from", text),  # table, text, slides or picture
        ("value", real),  # ours; null where there is none
        ("ci_low", real),
        ("ci_high", real),
        ("n", whole),
        ("seeds", whole),
        ("dataset", text),
        ("rule", text),  # equals, at_least or at_most
        ("bound", real),
        ("tolerance", real),
        ("tolerance_from", text),
        ("tolerance_why", text),
        ("verdict", text),
        ("reason", text),
        ("comment", text),
    ]
)
