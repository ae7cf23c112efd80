"""Worlds that stand in for a real one: what is observed there, and what can be found out from it."""
