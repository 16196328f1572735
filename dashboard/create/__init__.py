"""What the page Create is made of."""
