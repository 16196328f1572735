"""Storage and database compared: what the one has and the other does not."""
