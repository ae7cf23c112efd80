"""How well what acts does: in what it was trained with, beyond it, and where not."""
