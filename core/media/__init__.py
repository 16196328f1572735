"""Brings one result file from a URL to a checked file in the spool."""
