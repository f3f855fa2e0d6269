"""Rule `income_own_table`: a table made of a file that the user brings."""

from scripts.common.logs import job
from scripts.data.tabular import make_table

if "snakemake" in globals():
    with job(snakemake):
        params = snakemake.params
        make_table(params.source, snakemake.wildcards.table, params.sha256, snakemake.output[0])
