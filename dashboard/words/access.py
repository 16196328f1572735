"""Words of the door."""

from __future__ import annotations

import math

PASSWORD = "Password"
NAME = "Your name"
NAME_HELP = "Stands in the timeline of everything you do. May be left empty."
OPEN = "Open"
SIGN_OUT = "Sign out"
CLOSED = (
    "This address is not of this machine only, and there is no password: nobody may come in. Set "
    "`DASHBOARD_PASSWORD`, and start it by `python -m dashboard`."
)
WRONG = "That is not the password."
NOT_ALLOWED = "This account may not look at this. Ask whoever runs the dashboard."
LOCAL_OPERATOR = "operator on this machine"
VIEWING = "You may look. Actions and prompts are for operators."


def sign_in(provider: str | None) -> str:
    """The button that leads to a provider; None: there is but one."""
    return f"Sign in with {provider}" if provider else "Sign in"


def too_many(wait_s: float) -> str:
    """Why the password is not even compared."""
    return f"Too many wrong passwords. Try again in {math.ceil(wait_s)} s."
