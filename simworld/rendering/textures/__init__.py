"""Textures, procedural and from files."""
