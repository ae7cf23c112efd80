"""The factors, family by family."""
