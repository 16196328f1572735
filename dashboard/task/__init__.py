"""The task page: what became of one generation, and why."""
