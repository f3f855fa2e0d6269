"""Drawings of the study `encrypted`, one module per figure."""
