"""From a Frame to its Labels, and to pictures of both."""
