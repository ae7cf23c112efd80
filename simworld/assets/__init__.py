"""Robots and objects that come with simworld, and where their files are."""
