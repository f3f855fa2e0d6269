"""Schemas of the project's Parquet files, one module each, so that a new one concerns nobody else."""
