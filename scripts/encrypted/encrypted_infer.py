"""Rule `encrypted_infer`: what the server computes from ciphertexts, its keys and the networks, which are public."""

from scripts.common.logs import job
from scripts.encrypted.jobs import infer_parts
from scripts.encrypted.parcels import networks_of, parameters_of, write_costs

if "snakemake" in globals():
    with job(snakemake):
        files, chosen = snakemake.input, snakemake.params
        known = networks_of(files.networks, chosen.settings, chosen.seed)
        parameters = parameters_of(chosen.parameters)
        rows = infer_parts(files.public, files.sent, known, parameters, chosen.packing, snakemake.output.reply)
        write_costs(rows, snakemake.output.costs)
