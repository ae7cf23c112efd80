"""What networks tell of things: one file for each kind of answer."""
