"""Benchmarks beside peers; each writes its table, with the machine's description, to experiments/results/."""
