"""Recipes of vision models: trained, measured, used to pick, and what they are to learn from next."""
