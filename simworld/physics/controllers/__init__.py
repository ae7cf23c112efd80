"""What turns an action into joint targets."""
