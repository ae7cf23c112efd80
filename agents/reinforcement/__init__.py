"""Learning by trial."""
