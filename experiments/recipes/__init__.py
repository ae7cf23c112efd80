"""The recipes behind the command line: each writes one folder, and goes on where it stopped."""
