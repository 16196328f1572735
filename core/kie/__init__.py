"""KIE.ai's HTTP API: what is asked, what the answers mean, which callbacks are KIE's."""

from __future__ import annotations
