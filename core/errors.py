"""Every error this product raises on purpose.

AppError
├── ConfigError            a setting is wrong: do not start
├── StoreUnavailableError  the database cannot be reached or written: answer 503, try later
├── CallbackError          a callback is refused: `code` says why
└── StepError              a step did not get done: `code` and `permanent` are all a retry needs
    ├── MediaError         the file could not be brought here
    ├── StorageError       the file could not be put into permanent storage
    └── LeaseLostError     somebody else has the generation now: stop, write nothing
"""

from __future__ import annotations


class AppError(Exception):
    """Root of all errors raised on purpose."""


class ConfigError(AppError):
    """A setting is missing or wrong; the message names every one of them."""


class StoreUnavailableError(AppError):
    """The database cannot be reached, is locked for too long, or refuses writes."""


class CallbackError(AppError):
    """A callback is refused. `code` is stable and dotted, `task_id` what it claimed to be about."""

    def __init__(self, code: str, message: str, *, task_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.task_id = task_id


class StepError(AppError):
    """A step did not get done. `permanent`: trying the same again cannot help."""

    def __init__(self, code: str, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


class MediaError(StepError):
    """A result file could not be brought here, or is not what it should be.

    Codes: `media.dead` (403, 404, 410 and most other 4xx), `media.broken` (empty, an error page,
    cut short, damaged), `media.unreachable` (timeout, cut, 5xx, no such host), `media.too_large`
    and `media.refused` (permanent), `disk.full` and `spool.full` (no room to download into).
    """


class StorageError(StepError):
    """Permanent storage did not take or show an object.

    Codes: `storage.unavailable`, `storage.refused` (it answers, and takes no such object: a limit,
    a type, a key without the right), `storage.missing` (no such object to be read),
    `storage.bad_path` (no object can have that path).
    """


class LeaseLostError(StepError):
    """The lease on a generation went to somebody else while a step was under way."""

    def __init__(self) -> None:
        super().__init__("lease.lost", "another worker took the generation over")
