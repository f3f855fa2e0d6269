"""Provenance of a run: manifest, RO-Crate, releases."""
