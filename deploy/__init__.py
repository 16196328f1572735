"""What deploy.sh asks Python to do; each module is run as `python -m deploy.…` in a release."""

from __future__ import annotations
