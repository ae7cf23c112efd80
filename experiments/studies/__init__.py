"""Studies: models that are trained to find out what images are worth."""
