"""Quotas: how many samples are of which kind."""
