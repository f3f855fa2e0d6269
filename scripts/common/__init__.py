"""The shared library: pure functions that know nothing of Snakemake."""
