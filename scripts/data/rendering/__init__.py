"""Synthetic faces drawn from rows of CelebA's attribute table; no photograph is used."""

from scripts.data.rendering.render import render_faces

__all__ = ["render_faces"]
