"""Renderers of others behind our interface."""
