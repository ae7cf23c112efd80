"""Runnable recipes, the command line, benchmarks and their recorded results."""
