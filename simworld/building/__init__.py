"""From factors to a Scene."""
