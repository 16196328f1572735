"""What analysts and operators look at. Reads core.figures and core's queries, acts through core."""
