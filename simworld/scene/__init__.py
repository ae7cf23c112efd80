"""What is in the world, described as plain data."""
