"""Fewer triangles within a geometric error that is measured."""
