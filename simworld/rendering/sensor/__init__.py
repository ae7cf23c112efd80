"""What a camera's sensor makes of a perfect frame."""
