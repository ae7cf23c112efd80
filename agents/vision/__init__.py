"""What sees: networks that find, outline and place things in images, and how they are trained, measured and drawn."""
