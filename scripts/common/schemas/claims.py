"""Claims: one row per claim and protocol, with everything that its verdict was computed from."""

import pyarrow as pa

text, whole, real = pa.string(), pa.int64(), pa.float64()

CLAIMS = pa.schema(
    [
        ("study", text),
        ("claim", text),  # unique in the study
        ("protocol", text),
        ("origin", text),  # who states it: paper, theorem, package or ours
        ("confidence", text),  # verified or unverified; null where it is ours
        ("document", text),  # id of the reference that states it; null where none does
        ("place", text),  # where in the document
        ("says", text),
        ("published", real),  # null where the source gives no number
        ("unit", text),
        ("read_from", text),  # table, text, slides, picture or code
        ("value", real),  # ours; null where there is none
        ("ci_low", real),
        ("ci_high", real),
        ("interval", text),  # what the interval covers: sampling error, seeds, ...
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
