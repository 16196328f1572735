"""The files of a generation in the order in which they can be had: ours, KIE's, a preview. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from core.generation.model import Asset, Generation
from core.kie import lenient

#: Pictures that most browsers do not show.
UNSHOWN = frozenset({"image/heic", "image/heif"})
#: How the hosts of stored files are told that a browser is to save one: ours, and Supabase.
DOWNLOAD_WORDS = {"/assets/": "download=1", "/storage/v1/object/public/": "download="}


class Medium(StrEnum):
    """What plays a file."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file as the page shows it."""

    position: int
    role: str = "main"
    url: str | None = None  # permanent
    temporary_url: str | None = None  # KIE's, where there is no permanent one
    medium: Medium = Medium.OTHER
    content_type: str | None = None
    size_bytes: int | None = None
    error_code: str | None = None  # set: lost

    @property
    def download_url(self) -> str | None:
        """Where a browser saves it; None: its host cannot be told to have it saved."""
        parts = urlsplit(self.url or "")
        for folder, word in DOWNLOAD_WORDS.items():
            if parts.path.startswith(folder):
                return f"{self.url}{'&' if parts.query else '?'}{word}"
        return None


def files_of(generation: Generation) -> list[File]:
    """Every file, by position; an unstored one with KIE's own address while that is known."""
    if generation.assets:
        return [_of_asset(asset) for asset in generation.assets]
    urls = [lenient.url(url) for url in generation.result_urls]
    return [File(position=at, temporary_url=url) for at, url in enumerate(urls) if url]


def preview_of(generation: Generation) -> str | None:
    """A picture to show where no file can be had."""
    has_any = any(file.url or file.temporary_url for file in files_of(generation))
    return None if has_any else lenient.url(generation.preview_url)


def host(url: str) -> str:
    """The host that a URL leads to."""
    return urlsplit(url).hostname or ""


def _of_asset(asset: Asset) -> File:
    url = lenient.url(asset.url) if asset.stored_at else None
    return File(
        position=asset.position,
        role=asset.role,
        url=url,
        temporary_url=None if url else lenient.url(asset.source_url),
        medium=_medium(asset.content_type),
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        error_code=None if url else asset.error_code,
    )


def _medium(content_type: str | None) -> Medium:
    major = (content_type or "").partition("/")[0]
    if content_type in UNSHOWN or major not in set(Medium):
        return Medium.OTHER
    return Medium(major)
