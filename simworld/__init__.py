"""simworld: a robot that puts things in a box, simulated, randomized, rendered and labelled."""
