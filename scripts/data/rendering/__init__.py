"""Faces drawn from rows of CelebA's attribute table: no photograph goes in, and none comes out."""

from scripts.data.rendering.render import render_faces

__all__ = ["render_faces"]
