"""Parse a receiver's answer to an assignment callback (behaviour.md §9.1)."""

from __future__ import annotations

import json
from typing import Any, Final

from routing.actions.assignment_callbacks import Reply
from routing.webhooks.http_client import Answer

NO_TELEPHONE: Final = 20501
NOT_JSON: Final = 40001
NO_ANSWER: Final = 40000
NO_INSTRUCTION: Final = 40005
UNKNOWN_INSTRUCTION: Final = 55555
VOICE: Final = frozenset({"call", "conference", "dequeue", "redirect", "supervise"})


def is_usable(answer: Answer) -> bool:
    """Return whether an answer is valid; otherwise the fallback URL is called."""
    if answer.status != 200 or not answer.whole:
        return False
    media_type = answer.content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or not answer.body.strip()


def describe_failure(answer: Answer) -> str:
    """Return the reason why an answer is invalid."""
    if answer.status == 200 and not answer.whole:
        return "200, but the answer is too long"
    if answer.status == 200:
        return f"200, but its Content-Type is {answer.content_type[:60]!r}, not application/json"
    return answer.words


def parse_reply(answer: Answer) -> Reply:
    """Return the reply that a valid answer requests."""
    fields: dict[str, Any] = {"status": answer.status, "answer": answer.words}
    text = answer.body.decode(errors="replace").strip()
    document: Any = {}
    if text:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return _invalid_reply("the answer is not JSON", NOT_JSON, fields)
    if not isinstance(document, dict):
        return _invalid_reply("the answer is not a JSON object", NOT_JSON, fields)
    if not document:
        return Reply(do="nothing", outcome="nothing: the offer stays open", **fields)
    word = document.get("instruction")
    if word is None:
        return _invalid_reply("the answer has no instruction", NO_INSTRUCTION, fields)
    if word == "accept":
        return Reply(do="accept", outcome="accepted", **fields)
    if word == "reject":
        activity = document.get("activity_sid")
        sid = None if activity is None else str(activity)
        return Reply(do="reject", outcome="rejected", activity_sid=sid, **fields)
    if isinstance(word, str) and word in VOICE:
        words = f"the instruction {word} needs a telephone network, and this server has none (501)"
        return _invalid_reply(words, NO_TELEPHONE, fields)
    return _invalid_reply(
        f"there is no instruction {str(word)[:40]!r}", UNKNOWN_INSTRUCTION, fields
    )


def _invalid_reply(words: str, code: int, fields: dict[str, Any]) -> Reply:
    return Reply(do="nothing", outcome=f"nothing: {words}", error_code=code, **fields)
