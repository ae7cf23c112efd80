"""How networks learn, whatever they learn: one loop, that can stop at any time and goes on; tests while it runs."""
