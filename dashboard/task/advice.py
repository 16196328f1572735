"""The diagnosis' advice as it reads beside our own buttons. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from core.diagnosis import Diagnosis, Finding
from dashboard.words import task as words

_LOOK_AGAIN = re.compile(r"`GET /api/kie/sync\?id=[^`]*`")


def naming_the_button(found: Diagnosis) -> Diagnosis:
    """A diagnosis that names the button and not the API's call that does the same."""
    return replace(found, findings=tuple(map(_naming_the_button, found.findings)))


def _naming_the_button(finding: Finding) -> Finding:
    lines = (_LOOK_AGAIN.sub(words.LOOK_AGAIN, line) for line in finding.suggestions)
    return replace(finding, suggestions=tuple(lines))
