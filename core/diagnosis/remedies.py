"""What codes mean and what to do about them: tables, no logic but the look-up."""

from __future__ import annotations

import re
from typing import NamedTuple

from core.diagnosis.model import Severity, Verdict


class Remedy(NamedTuple):
    """What a code means, and what to do."""

    meaning: str
    action: str


AGAIN = "Create a new generation; this one stays failed."

#: KIE's own codes, of a refused createTask and of a failed task (docs.kie.ai, codes of each page).
PROVIDER = {
    "400": Remedy(
        "the input or its content was not accepted",
        "Compare `input` with the model's page on docs.kie.ai, correct it and create again.",
    ),
    "401": Remedy(
        "the API key is missing or wrong",
        "Set KIE_API_KEY to a valid key, restart webhook and poller, and create again.",
    ),
    "402": Remedy(
        "the KIE account has not enough credits", "Top up the KIE account, then create again."
    ),
    "404": Remedy(
        "KIE has nothing under that address",
        "Check `model`, `family` and KIE_BASE_URL, then create again.",
    ),
    "422": Remedy(
        "the model's name is wrong or a field of the input is missing or out of range",
        "Read KIE's words: they name the field. Correct `model` or `input` and create again.",
    ),
    "433": Remedy(
        "the hourly, daily or total limit of this API key is used up",
        "Raise the key's limit in KIE's key settings or wait until it starts anew, then create"
        " again.",
    ),
    "451": Remedy(
        "KIE could not fetch an image or file that the input names",
        "Open each URL of the input without logging in; replace what does not open, create again.",
    ),
    "500": Remedy("KIE failed inside", AGAIN),
    "501": Remedy("the generation failed at KIE", AGAIN),
    "505": Remedy(
        "KIE has switched this model or feature off",
        "Use another model, or create again once KIE has it back.",
    ),
    "531": Remedy("the generation failed and KIE says that it gave the credits back", AGAIN),
    "GENERATION_FAILED": Remedy("the generation failed at KIE", AGAIN),
    "INTERNAL_ERROR": Remedy("KIE failed inside", AGAIN),
}
SAFETY = Remedy(
    "a safety check refused the prompt, an input file or the result",
    "Change the prompt or the input files and create again.",
)
OTHERWISE = Remedy(
    "KIE gave a reason that is not in our list", "Read KIE's words, then create again or not."
)
_SAFETY_WORDS = re.compile(
    r"unsafe|safety|nsfw|sensitive|moderat|prohibit|content.?polic|policy.?violat|flagged", re.I
)


def provider_remedy(code: str | None, words: str | None) -> Remedy:
    """What KIE's code and words mean; a safety refusal comes with many codes."""
    if _SAFETY_WORDS.search(f"{code} {words}"):
        return SAFETY
    return PROVIDER.get((code or "").strip().upper(), OTHERWISE)


#: Why an ask failed, and how serious that is for a generation that still waits for it.
ASKING = {
    "kie.unauthorized": (
        Severity.ERROR,
        Remedy(
            "KIE does not accept our API key",
            "Set KIE_API_KEY to a valid key and restart webhook and poller.",
        ),
    ),
    "kie.no_credits": (
        Severity.WARNING,
        Remedy("KIE says that the account has no credits", "Top up the KIE account."),
    ),
    "kie.key_capped": (
        Severity.WARNING,
        Remedy(
            "the limit of our API key is used up",
            "Raise the key's limit in KIE's key settings, or wait until it starts anew.",
        ),
    ),
    "kie.rate_limited": (
        Severity.INFO,
        Remedy("KIE says that we ask too often", "Nothing: we wait and ask again."),
    ),
    "kie.unavailable": (
        Severity.WARNING,
        Remedy(
            "KIE is down, cannot be reached or answers nothing usable",
            "Nothing, if KIE is down. Else check KIE_BASE_URL and this machine's way out.",
        ),
    ),
    "kie.refused": (
        Severity.WARNING,
        Remedy(
            "KIE refused the question, or answered about another task",
            "Read KIE's words; check `family` and the task in KIE's own log.",
        ),
    ),
}

_SECRET = "Set KIE_CALLBACK_SECRET to the same value in every process"
#: Why callbacks are refused.
REFUSALS = {
    "credential.missing": Remedy(
        "The callback URL had neither token nor secret",
        "If KIE sent it: see which callback URL is configured there; createTask sends the right"
        " one. If not, a stranger called and nothing is to be done.",
    ),
    "credential.wrong": Remedy(
        "The token or secret in the callback URL is none of ours",
        f"{_SECRET}. After a change, append the old value after a comma until all open tasks end.",
    ),
    "credential.other_key": Remedy(
        "The token or secret in the callback URL was made with a key of another setting",
        "Two settings are mixed up: move that key to KIE_CALLBACK_SECRET, or make the callback"
        " URL with the first value of KIE_CALLBACK_SECRET.",
    ),
    "signature.missing": Remedy(
        "The callback was not signed, and KIE_WEBHOOK_HMAC_KEY is set, so it has to be",
        "Switch the webhook HMAC key on in KIE's settings, or unset KIE_WEBHOOK_HMAC_KEY. Check"
        " that no proxy drops X-Webhook-Signature and X-Webhook-Timestamp.",
    ),
    "signature.malformed": Remedy(
        "The signature headers are not base64 of 32 bytes and Unix seconds",
        "Check that no proxy changes X-Webhook-Signature and X-Webhook-Timestamp.",
    ),
    "signature.wrong": Remedy(
        "The signature was made with none of our keys",
        "Copy the webhook HMAC key from KIE's settings to KIE_WEBHOOK_HMAC_KEY and restart the"
        " webhook. While a key is being changed, set both, with a comma.",
    ),
    "signature.other_key": Remedy(
        "The signature verifies, but with a key of another setting",
        "Two settings are mixed up: put KIE's webhook HMAC key into KIE_WEBHOOK_HMAC_KEY.",
    ),
    "signature.stale": Remedy(
        "The callback was rightly signed, but over five minutes off our clock",
        "Set this machine's clock (NTP). If it is right, an old callback was sent again.",
    ),
    "body.too_large": Remedy(
        "The callback was over 1 MiB", "Nothing: the task is asked about all the same."
    ),
    "body.not_json": Remedy(
        "The callback's body is not JSON",
        "If KIE sent it, check that no proxy changes bodies.",
    ),
    "body.no_task_id": Remedy(
        "The callback names no task", "Nothing: the task is asked about all the same."
    ),
    "body.bad_task_id": Remedy(
        "The callback names a task id that cannot be one",
        "Nothing: the task is asked about all the same.",
    ),
}
REFUSED_OTHERWISE = Remedy(
    "A callback did not pass a check", "Look up its reason in docs/operations.md."
)

ROOM = "Make room on the disk of DATA_DIR; storing goes on by itself."
#: Why a file is not stored yet; each is tried again without end, or ends as the code says.
STORING = {
    "storage.unavailable": (
        Verdict.STORAGE_UNAVAILABLE,
        Remedy(
            "permanent storage does not take it",
            "See how storage is now: the line `storage` of `GET /api/ready`. A folder (STORAGE_DIR)"
            " must exist, have room and be writable; Supabase Storage (SUPABASE_URL) must be up"
            " and in reach of this machine.",
        ),
    ),
    "storage.refused": (
        Verdict.STORAGE_REFUSES,
        Remedy(
            "permanent storage answers, and takes no such file",
            "Do what its words say: raise the bucket's limit of sizes, let it allow the type, or"
            " correct SUPABASE_SERVICE_ROLE_KEY or SUPABASE_BUCKET_PUBLIC.",
        ),
    ),
    "storage.bad_path": (
        Verdict.STORAGE_UNAVAILABLE,
        Remedy(
            "the path that was made for it is none that storage can hold",
            "This is a defect: report it with the generation's id.",
        ),
    ),
    "disk.full": (Verdict.DISK_FULL, Remedy("the disk of DATA_DIR is nearly full", ROOM)),
    "spool.full": (
        Verdict.SPOOL_FULL,
        Remedy(
            "downloads under way fill the spool up to SPOOL_MAX_BYTES",
            "Nothing, if it empties. If it stays full, raise SPOOL_MAX_BYTES, or lower"
            " DELIVERY_THREADS.",
        ),
    ),
    "media.dead": (
        Verdict.MEDIA_MISSING,
        Remedy(
            "the media host says that the file is not there",
            "Nothing yet: KIE is asked for a new address each time. After three fruitless rounds"
            " over at least a minute it is given up as media.gone.",
        ),
    ),
    "media.broken": (
        Verdict.MEDIA_DAMAGED,
        Remedy(
            "what came was empty, an error page, cut short or damaged",
            "Nothing yet: it is fetched again. After three fruitless rounds over at least a minute"
            " it is given up as media.invalid.",
        ),
    ),
    "media.unreachable": (
        Verdict.MEDIA_UNREACHABLE,
        Remedy(
            "the media host cannot be reached, is busy or cuts the connection",
            "Nothing, if the host is down. Else check this machine's DNS and its way out on port"
            " 443.",
        ),
    ),
}
