"""Datasets on disk: atomic, resumable and verifiable."""
