"""Mesh files of usual formats made objects: read, mended, measured, simplified and cut into convex pieces."""
