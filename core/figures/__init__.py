"""What analysts read: counts and durations as pandas frames, what is stuck, how callbacks come."""
