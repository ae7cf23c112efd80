"""Distributions as values: what a factor is drawn from."""
