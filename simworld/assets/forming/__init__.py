"""What families of things are made with: surfaces, convex parts and painted images, of numbers alone."""
