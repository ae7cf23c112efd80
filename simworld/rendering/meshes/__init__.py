"""Triangle meshes, with levels of detail."""
