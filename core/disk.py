"""How full a disk may become."""

from __future__ import annotations

from typing import Protocol

MIN_FREE_BYTES = 1 << 30
MIN_FREE_SHARE = 0.05


class DiskUsage(Protocol):
    """What `shutil.disk_usage` answers, as far as it is read. In bytes."""

    @property
    def total(self) -> int: ...
    @property
    def free(self) -> int: ...


def is_too_full(usage: DiskUsage, coming: int) -> bool:
    """Whether less than 1 GiB or 5 % of the disk would stay free after that many bytes more."""
    return usage.free - coming < max(MIN_FREE_BYTES, usage.total * MIN_FREE_SHARE)
