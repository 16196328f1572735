"""The double of Supabase Storage is as unpleasant as the server was seen to be."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.supabase_storage import SupabaseStorageDouble

LARGE = bytes(16 << 20)


@pytest.fixture
def http(supabase_storage: SupabaseStorageDouble) -> Iterator[httpx.Client]:
    """A client with the right key, and a bucket."""
    with httpx.Client(
        base_url=f"{supabase_storage.url}/storage/v1",
        headers={"authorization": f"Bearer {supabase_storage.key}"},
        timeout=1.0,
        trust_env=False,
    ) as client:
        client.post("/bucket", json={"id": "media", "public": True})
        yield client


def said(answer: httpx.Response) -> tuple[int, str, str]:
    """HTTP's status, and what the body says."""
    told = answer.json()
    return answer.status_code, told["statusCode"], told["code"]


def test_a_second_upload_is_refused_with_http_400_and_the_truth_in_the_body(
    http: httpx.Client,
) -> None:
    assert http.post("/object/media/a", content=b"1").status_code == 200
    refused = http.post("/object/media/a", content=b"2")
    assert said(refused) == (400, "409", "KeyAlreadyExists")
    replaced = http.post("/object/media/a", content=b"2", headers={"x-upsert": "true"})
    assert replaced.status_code == 200


def test_who_is_refused_early_is_not_read_any_more(
    http: httpx.Client, supabase_storage: SupabaseStorageDouble
) -> None:
    http.post("/object/media/a", content=b"1")
    with pytest.raises(httpx.WriteTimeout):
        http.post("/object/media/a", content=LARGE)
    supabase_storage.put_a_gateway_in_front()
    assert said(http.post("/object/media/a", content=LARGE)) == (400, "409", "KeyAlreadyExists")


def test_without_a_length_there_is_no_limit(
    http: httpx.Client, supabase_storage: SupabaseStorageDouble
) -> None:
    supabase_storage.buckets["media"].file_size_limit = 2000
    assert said(http.post("/object/media/a", content=bytes(10_000)))[1] == "413"
    assert http.post("/object/media/a", content=iter([bytes(10_000)])).status_code == 200
    assert supabase_storage.contents("media") == {"a": bytes(10_000)}


def test_a_missing_bucket_lists_as_an_empty_one(http: httpx.Client) -> None:
    listed = http.post("/object/list-v2/none", json={"prefix": ""})
    assert (listed.status_code, listed.json()["objects"]) == (200, [])
    assert said(http.get("/object/info/none/a")) == (400, "404", "NoSuchBucket")
    assert said(http.get("/object/info/media/a")) == (400, "404", "NoSuchKey")


def test_an_upload_that_is_cut_leaves_nothing(
    http: httpx.Client, supabase_storage: SupabaseStorageDouble
) -> None:
    supabase_storage.fault("cut", "POST", after=100)
    with pytest.raises(httpx.TransportError):
        http.post("/object/media/a", content=bytes(200))
    assert supabase_storage.objects("media") == {}
    assert http.post("/object/media/a", content=bytes(200)).status_code == 200


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("a" * 2000, (500, "500", "InternalError")),
        ("%C3%A9", (400, "400", "InvalidKey")),
        ("a~b", (400, "400", "InvalidKey")),
    ],
)
def test_some_keys_are_none(http: httpx.Client, key: str, answer: tuple[int, str, str]) -> None:
    assert said(http.post(f"/object/media/{key}", content=b"1")) == answer


def test_keys_of_other_people(http: httpx.Client, supabase_storage: SupabaseStorageDouble) -> None:
    wrong = {"authorization": "Bearer wrong"}
    assert said(http.get("/bucket/media", headers=wrong)) == (400, "403", "AccessDenied")
    anon = {"authorization": f"Bearer {supabase_storage.anon_key}"}
    assert said(http.get("/bucket/media", headers=anon)) == (400, "404", "NoSuchBucket")
    assert said(http.post("/bucket", json={"id": "b"}, headers=anon))[1] == "403"


def test_resumable_uploads_answer_with_true_statuses_in_plain_text(http: httpx.Client) -> None:
    metadata = {"upload-metadata": "bucketName bWVkaWE=,objectName YQ==", "upload-length": "5"}
    begun = http.post("/upload/resumable", headers=metadata)
    place = begun.headers["location"]
    assert begun.status_code == 201
    sending = {"content-type": "application/offset+octet-stream", "upload-offset": "3"}
    refused = http.patch(place, content=b"lo", headers=sending)
    assert (refused.status_code, refused.text) == (409, "Upload-Offset conflict")
    assert refused.headers["content-type"].startswith("text/plain")
    for offset, content in (("0", b"hel"), ("3", b"lo")):
        sent = http.patch(place, content=content, headers={**sending, "upload-offset": offset})
        assert sent.status_code == 204
    assert sent.headers["tus-complete"] == "1"
    assert http.get("/object/public/media/a").content == b"hello"
    assert http.head(f"{place}x").status_code == 404


def test_a_range_of_an_object(http: httpx.Client) -> None:
    http.post("/object/media/a", content=b"hello")
    part = http.get("/object/public/media/a", headers={"range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"el")
    assert part.headers["content-range"] == "bytes 1-2/5"
    beyond = http.get("/object/public/media/a", headers={"range": "bytes=9-"})
    assert said(beyond)[:2] == (416, "416")
