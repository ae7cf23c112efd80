"""What vision models learn from: labelled images as torch datasets, augmented, in batches."""
