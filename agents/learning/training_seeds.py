"""Which root seeds trainings have, apart from those that are evaluated, from 0 on, and those of data, from 2**30 on."""

TEST_SEEDS = 1_000_000
"""The first of those that a policy is tested on while it learns."""
TRAINING_SEEDS = 2_000_000
"""The first of those that are trained on, to which a training's own `seed` is added, or several each."""
SEEDS_EACH, MOST_SEED = 1000, 1_000_000
"""Between two trainings that have several environments or episodes, and the last `seed` of a training."""
