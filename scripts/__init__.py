"""Counterweight: rules, scripts and tests import from here with nothing to install."""
