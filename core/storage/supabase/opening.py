"""From settings to an AssetStorage in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from supabase import ClientOptions, create_client

from core.errors import ConfigError
from core.made_up_secret import ASSET_URL, made_up_secret
from core.settings import Settings
from core.storage.port import AssetStorage
from core.storage.private_urls import PrivateUrls
from core.storage.supabase.http import storage_http
from core.storage.supabase.resumable import ResumableUploads
from core.storage.supabase.storage import SupabaseStorage
from core.storage.supabase.upload_ids import UploadIds

STALL_SECONDS = 30.0


@contextmanager
def open_supabase_storage(
    settings: Settings, stall_seconds: float = STALL_SECONDS
) -> Iterator[AssetStorage]:
    """The storage that the settings name; closes its connections at the end. Asks nothing yet."""
    place = f"bucket {settings.supabase_bucket} at {settings.supabase_url}"
    connections = settings.delivery_threads * 2 + settings.request_threads
    key = _key(settings)
    with storage_http(
        f"{settings.supabase_url}/storage/v1",
        key,
        connections=connections,
        stall_seconds=stall_seconds,
    ) as http:
        options = ClientOptions(httpx_client=http, auto_refresh_token=False, persist_session=False)
        client = create_client(settings.supabase_url, key, options)
        http.headers.update(client.options.headers)
        ids = UploadIds(settings.data_dir / "uploads", place)
        yield SupabaseStorage(
            client.storage,
            http,
            place=place,
            bucket=settings.supabase_bucket,
            is_public=settings.supabase_bucket_public,
            private_urls=_private_urls(settings),
            uploads=ResumableUploads(http, ids),
            upload_ids=ids,
        )


def _key(settings: Settings) -> str:
    secret = settings.supabase_service_role_key
    key = secret.get_secret_value() if secret else ""
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        why = "must be printable ASCII without spaces around it"
        raise ConfigError(f"SUPABASE_SERVICE_ROLE_KEY: {why}")
    return key


def _private_urls(settings: Settings) -> PrivateUrls | None:
    """Also of a public bucket that was private, where the secret of then is still set."""
    secrets = settings.asset_url_secrets
    if not secrets and not settings.supabase_bucket_public:
        secrets = (made_up_secret(settings.data_dir, ASSET_URL),)
    return PrivateUrls(settings.public_base_url, secrets) if secrets else None
