"""`python -m core COMMAND`: what people do by hand, and what a release does. One module each."""

from __future__ import annotations
