"""The stuck list: what has been open for too long, why, and what can be done about it."""
