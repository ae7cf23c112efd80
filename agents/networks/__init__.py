"""What policies are made of, and how what was learnt is stored, loaded and exported."""
