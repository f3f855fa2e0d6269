"""Audits of predictions that a user brings; no study."""
