"""The `simworld` command."""
