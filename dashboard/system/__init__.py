"""What the page System is made of."""
