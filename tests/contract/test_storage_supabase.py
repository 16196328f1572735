"""Permanent storage in a Supabase bucket: how it is set up, and what it says of what it holds."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.errors import ConfigError, StorageError
from core.storage.private_urls import PrivateUrls
from tests.contract.storage_cases import PATH, SupabaseCase, supabase_case
from tests.support.supabase_storage import SupabaseStorageDouble

MISSING = json.dumps({"statusCode": "404", "error": "Bucket not found", "message": "gone"}).encode()


@pytest.mark.parametrize("is_public", [True, False])
def test_the_bucket_is_made(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, is_public: bool
) -> None:
    with supabase_case(tmp_path, supabase_storage, supabase_bucket_public=is_public) as case:
        case.storage.prepare()
    assert supabase_storage.buckets["generations"].public is is_public


def test_two_processes_may_make_it_at_once(bucket: SupabaseCase) -> None:
    bucket.double.fault("answer", "GET /bucket", status=400, body=MISSING)
    bucket.storage.prepare()  # it is there when this process comes to make it
    assert list(bucket.double.buckets) == ["generations"]


def test_a_bucket_of_the_other_kind_is_left_as_it_is(
    tmp_path: Path, bucket: SupabaseCase, supabase_storage: SupabaseStorageDouble
) -> None:
    with (
        supabase_case(tmp_path, supabase_storage, supabase_bucket_public=False) as case,
        pytest.raises(ConfigError, match="it is public, and SUPABASE_BUCKET_PUBLIC=false"),
    ):
        case.storage.prepare()
    assert supabase_storage.buckets["generations"].public


@pytest.mark.parametrize("key", ["of another project", SupabaseStorageDouble.anon_key])
def test_a_key_without_the_right_is_an_error_of_the_settings(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, key: str
) -> None:
    with (
        supabase_case(tmp_path, supabase_storage, supabase_service_role_key=key) as case,
        pytest.raises(ConfigError, match="set SUPABASE_SERVICE_ROLE_KEY") as caught,
    ):
        case.storage.prepare()
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", ["two\nlines", "kéy", " spaced"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble, key: str
) -> None:
    with (
        pytest.raises(ConfigError, match="SUPABASE_SERVICE_ROLE_KEY") as caught,
        supabase_case(tmp_path, supabase_storage, supabase_service_role_key=key),
    ):
        pass
    assert key not in str(caught.value)


def test_an_object_is_stored_with_type_and_caching_and_a_known_length(bucket: SupabaseCase) -> None:
    bucket.put()
    stored = bucket.double.objects()[PATH]
    assert (stored.content_type, stored.cache_control) == ("image/png", "max-age=31536000")
    (request,) = bucket.double.requests
    assert request.headers["x-upsert"] == "true"
    assert int(request.headers["content-length"]) > len(b"whole")


def test_a_large_object_too(bucket: SupabaseCase) -> None:
    bucket.put(b"x" * (7 << 20))
    stored = bucket.double.objects()[PATH]
    assert (stored.content_type, stored.cache_control) == ("image/png", "max-age=31536000")
    assert all("content-length" in request.headers for request in bucket.double.requests[1:])


def test_a_bucket_that_was_deleted_is_made_anew(bucket: SupabaseCase) -> None:
    bucket.put()
    bucket.double.buckets.clear()
    bucket.double.state.objects.clear()
    with pytest.raises(StorageError) as caught:  # nobody may take it for a file that is missing
        bucket.storage.size(PATH)
    assert caught.value.code == "storage.unavailable"
    assert bucket.storage.size(PATH) is None
    bucket.double.buckets.clear()
    bucket.put()
    bucket.double.buckets.clear()
    bucket.put(b"x" * (7 << 20))
    assert list(bucket.objects()) == [PATH]


def test_a_bucket_that_is_missing_is_not_an_empty_list(bucket: SupabaseCase) -> None:
    bucket.double.buckets.clear()
    bucket.double.fault("answer", "POST /bucket", status=503, body=b"{}")
    with pytest.raises(StorageError):
        list(bucket.storage.objects())


def test_a_long_list_comes_in_pages(bucket: SupabaseCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.storage.supabase.storage.PAGE_OBJECTS", 2)
    paths = [f"u/image/{number}.png" for number in range(5)]
    for path in paths:
        bucket.double.add(path, b"x")
    assert [item.path for item in bucket.storage.objects()] == paths
    assert len([line for line in bucket.double.lines if "list-v2" in line]) == 3


@pytest.mark.parametrize("more", [{}, {"nextCursor": None}])
def test_a_list_that_does_not_go_on_is_an_error(
    bucket: SupabaseCase, more: dict[str, object]
) -> None:
    page = json.dumps({"hasNext": True, "folders": [], "objects": [], **more}).encode()
    bucket.double.fault("answer", "list-v2", status=200, body=page, times=9)
    with pytest.raises(StorageError, match="does not go on"):
        list(bucket.storage.objects())


def test_a_list_that_goes_round_in_circles_is_an_error(bucket: SupabaseCase) -> None:
    for cursor in ("a", "b", "a"):
        page = {"hasNext": True, "folders": [], "objects": [], "nextCursor": cursor}
        bucket.double.fault("answer", "list-v2", status=200, body=json.dumps(page).encode())
    with pytest.raises(StorageError, match="does not go on"):
        list(bucket.storage.objects())


def test_a_private_url_of_before_leads_to_the_object_in_a_bucket_that_is_public_now(
    tmp_path: Path, supabase_storage: SupabaseStorageDouble
) -> None:
    earlier = PrivateUrls("https://ours.test", ("secret",)).url(PATH)
    secret = {"asset_url_secret": "secret"}
    with supabase_case(tmp_path, supabase_storage, **secret) as case:
        signature = earlier.partition("?sig=")[2]
        assert case.storage.signed_url(PATH, signature) == case.storage.url(PATH)
        assert case.storage.signed_url(PATH, signature[:-1]) is None
        assert case.storage.signed_url(f"{PATH}x", signature) is None


def test_a_public_url_opens_the_object(bucket: SupabaseCase) -> None:
    bucket.put()
    url = bucket.storage.url(PATH)
    assert url == f"{bucket.double.url}/storage/v1/object/public/generations/{PATH}"
    answer = httpx.get(url, trust_env=False)
    assert (answer.content, answer.headers["content-type"]) == (b"whole", "image/png")
    assert bucket.storage.signed_url(PATH, "any") is None


class TestPrivate:
    """A private bucket: our own URL for good, and the bucket's for ten minutes."""

    @pytest.fixture
    def private(
        self, tmp_path: Path, supabase_storage: SupabaseStorageDouble
    ) -> Iterator[SupabaseCase]:
        with supabase_case(tmp_path, supabase_storage, supabase_bucket_public=False) as case:
            case.put()
            yield case

    def signature(self, private: SupabaseCase) -> str:
        url, _, signature = private.storage.url(PATH).partition("?sig=")
        assert url == f"https://ours.test/assets/{PATH}"
        return signature

    def test_who_has_our_url_gets_one_of_the_bucket(self, private: SupabaseCase) -> None:
        url = private.storage.signed_url(PATH, self.signature(private))
        assert url is not None
        assert url.startswith(f"{private.double.url}/storage/v1/object/sign/generations/{PATH}?")
        answer = httpx.get(url, trust_env=False)
        assert (answer.status_code, answer.content) == (200, b"whole")
        assert httpx.get(url[:-1], trust_env=False).status_code == 400

    def test_it_can_be_made_to_be_saved(self, private: SupabaseCase) -> None:
        url = private.storage.signed_url(PATH, self.signature(private), download=True)
        answer = httpx.get(url or "", trust_env=False)
        assert answer.headers["content-disposition"].startswith("attachment")

    def test_it_leads_to_no_other_server(self, private: SupabaseCase) -> None:
        for url in ("xhttps://evil.test/a", "//evil.test/a"):
            body = json.dumps({"signedURL": url}).encode()
            private.double.fault("answer", "POST /object/sign", status=200, body=body)
            with pytest.raises(StorageError):
                private.storage.signed_url(PATH, self.signature(private))

    def test_nobody_else_gets_one(self, private: SupabaseCase) -> None:
        signature = self.signature(private)
        before = len(private.double.requests)
        assert private.storage.signed_url(PATH, signature[:-1]) is None
        assert private.storage.signed_url("somebody/else.png", signature) is None
        assert len(private.double.requests) == before

    def test_an_object_that_is_gone_has_none(self, private: SupabaseCase) -> None:
        private.storage.delete(PATH)
        with pytest.raises(StorageError) as caught:
            private.storage.signed_url(PATH, self.signature(private))
        assert caught.value.code == "storage.missing"

    def test_the_bucket_itself_shows_nothing(self, private: SupabaseCase) -> None:
        url = f"{private.double.url}/storage/v1/object/public/generations/{PATH}"
        assert httpx.get(url, trust_env=False).status_code == 400


@pytest.mark.parametrize("path", ["é.png", "a~b", "a^b", "名.png", "a//b", "a" * 2000, "a%41"])
def test_a_path_that_a_bucket_would_not_keep_as_it_is_is_refused(
    bucket: SupabaseCase, path: str
) -> None:
    with pytest.raises(StorageError) as caught:
        bucket.put(path=path)
    assert caught.value.code == "storage.bad_path"
    assert bucket.double.requests == []


def test_threads_share_one_storage(bucket: SupabaseCase) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        for turn in range(5):
            path = f"u/image/{number}_{turn}.png"
            source = bucket.spool / f"source-{number}"
            source.write_bytes(path.encode() * (number + 1) * 1000)
            try:
                bucket.storage.put(source, path, "image/png")
                assert bucket.storage.size(path) == source.stat().st_size
                with bucket.storage.read(path) as pieces:
                    assert b"".join(pieces) == source.read_bytes()
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(bucket.objects()) == 40
