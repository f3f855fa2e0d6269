"""Rule `encrypted_keys`: fresh keys of a client, and what its server may have of them."""

from scripts.common.logs import job
from scripts.encrypted.jobs import write_keys
from scripts.encrypted.parcels import parameters_of, write_costs

if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.output, snakemake.params
        write_costs(
            write_keys(parameters_of(chosen.parameters), chosen.packing, files.client, files.server), files.costs
        )
