"""What the experts of several tasks know how to do."""
