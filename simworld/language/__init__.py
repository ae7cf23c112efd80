"""Words for what is in a scene: noun phrases that are true of one thing alone, and sentences of them."""
