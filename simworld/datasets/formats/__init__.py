"""Formats that others read, each written by one module from what is in the store."""
