"""Sign callback forms, so that receivers can verify the sender."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

HEADER: Final = "X-Twilio-Signature"


def sign_form(url: str, parameters: Mapping[str, str], auth_token: str) -> str:
    """Return the signature of a form for a URL (behaviour.md §9.5).

    Arguments:
        url: the URL as the receiver sees it: with query, without fragment and credentials.
    """
    text = url + "".join(f"{name}{parameters[name]}" for name in sorted(parameters, key=str.encode))
    # Receivers require SHA-1. Its known weakness, collisions, does not affect an HMAC.
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
