"""Recipes of policies: trained, evaluated, stressed, swept, and what they are trained in."""
