"""What is the matter with a generation, said in words: facts in, verdict and advice out. No I/O."""

from __future__ import annotations

from core.diagnosis.model import Diagnosis, Facts, Finding, Severity, Verdict
from core.diagnosis.rules import diagnose

__all__ = ["Diagnosis", "Facts", "Finding", "Severity", "Verdict", "diagnose"]
