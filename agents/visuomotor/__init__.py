"""Policies that act by what cameras see and what a robot knows of itself."""
