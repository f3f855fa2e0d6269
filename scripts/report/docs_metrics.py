"""Rule `docs_metrics`: the vocabulary of released numbers, from the registry of metrics and the list of intervals."""

from scripts.common.files import atomic_path
from scripts.common.interval_kinds import KINDS
from scripts.common.metric_registry import registry
from scripts.common.schemas.comparisons import PAIRINGS
from scripts.report.markdown import table

HEAD = """\
<!-- Written by the rule docs_metrics: change scripts/common/metrics.yaml, not this. -->

# Metrics

Every number in `results/X/metrics.parquet` and `results/X/comparisons.parquet` has one of the names below, in every
study. A name that is not registered in `scripts/common/metrics.yaml` is refused when the file is written. So one query
asks all studies at once:

```python
import pandas as pd

studies = ("tradeoffs", "income", "frtrain", "leakage", "boosting")
metrics = pd.concat(pd.read_parquet(f"results/{study}/metrics.parquet") for study in studies)
print(metrics.query("metric == 'demographic_parity_difference' and split == 'test'"))
```

## What a row is about

| column | what |
|:--|:--|
| `attribute` | the sensitive attribute whose groups are meant (`sex`; combined: `sex x race`); `none` for everyone |
| `subgroup` | the name of one group (`women`), or `all`; what compares the groups has their attribute and `all` |
| `metric` | an id of the table below; `ID_signed_difference` is the first named group minus the second |
| `condition` | the parameters of the metric, as `attack=ensemble, eps=0.01, norm=linf`; often empty |
| `value`, `ci_low`, `ci_high` | the number and its 95 % interval, empty where there is none |
| `interval` | the kind of the interval, see below |
| `n` | the rows that the number is computed from |

A comparison has `first` and `second` (methods, protocols or stages) in place of `method`: `value` is first minus
second. `paired_by` says what both sides share, one of PAIRINGS."""


def bounds(low: float | None, high: float | None) -> str:
    """Return a range as text: "0 to 1", "from 0"."""
    return f"{low:g} to {high:g}" if high is not None else f"from {low:g}"


def page() -> str:
    """Return the whole page."""
    rows = []
    for name, entry in registry().items():
        origin = f"`{entry['oracle']}`" if entry["oracle"] else entry["source"]
        rows.append([f"`{name}`", entry["title"], entry["formula"], bounds(*entry["range"]), entry["better"], origin])
    columns = ["id", "name", "how it is computed", "range", "better", "compared with, or from"]
    parts = [
        HEAD.replace("PAIRINGS", ", ".join(f"`{name}`" for name in PAIRINGS)),
        "## Kinds of intervals",
        table(["interval", "in captions"], [[f"`{kind}`", text] for kind, text in KINDS.items()]),
        "## All metrics",
        "Tests compare every metric that names a library function with that function, on random data.",
        table(columns, rows),
    ]
    return "\n\n".join(parts) + "\n"


if "snakemake" in globals():
    from scripts.common.logs import job

    with job(snakemake), atomic_path(snakemake.output[0]) as temporary:
        temporary.write_text(page(), encoding="utf-8")
