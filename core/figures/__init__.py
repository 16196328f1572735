"""What analysts read: frames of counts and durations, each with documented columns. Uses pandas."""
