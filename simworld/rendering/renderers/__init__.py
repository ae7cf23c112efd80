"""Renderers behind one interface: each is a file here that says its `RENDERER`, and is called like it."""
