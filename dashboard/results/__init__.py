"""The pieces of the Results page."""
