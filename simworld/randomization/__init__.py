"""What may vary: distributions, the factors they belong to, and the scenes drawn from them."""
