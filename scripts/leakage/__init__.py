"""The study of attribute inference from outputs and its tie to demographic parity."""
