"""Parse the policies of a capability token: a path, a method, and conditions on parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

MAX_POLICIES: Final = 200


@dataclass(frozen=True, slots=True)
class Policy:
    """One permission.

    Arguments:
        parts: the path below the API's version, split at its slashes; a last `**` stands for any
            number of parts, a `*` for one.
        required: parameters that a request must have, with their value where it is fixed.
        only: the parameters that a form may have; None for any.
    """

    method: str
    parts: tuple[str, ...]
    required: Mapping[str, str | None]
    only: frozenset[str] | None = None

    def allows(self, method: str, path: str, params: Mapping[str, str]) -> bool:
        """Return whether this policy permits a request."""
        return (
            self.method == method
            and _matches_path(self.parts, tuple(path.split("/")))
            and all(
                name in params and value in (None, params[name])
                for name, value in self.required.items()
            )
            and (self.only is None or self.only.issuperset(params))
        )


def parse_policies(found: object) -> tuple[Policy, ...]:
    """Return the allowing policies of a token; raises `ValueError` for malformed ones.

    Only the paths of their URLs are compared: the hosts are those of the hosted service.
    """
    if not isinstance(found, list) or len(found) > MAX_POLICIES:
        raise ValueError("policies must be a list of at most 200")
    return tuple(
        _parse_policy(each) for each in found if isinstance(each, dict) and each.get("allow")
    )


def is_permitted(
    policies: tuple[Policy, ...], method: str, path: str, params: Mapping[str, str]
) -> bool:
    """Return whether any policy allows a request; the default is to deny.

    A worker's channels are part of the worker: a token for the one may read the other.
    """
    paths = [path]
    if method == "GET" and path.endswith("/WorkerChannels"):
        paths.append(path.removesuffix("/WorkerChannels"))
    return any(policy.allows(method, each, params) for policy in policies for each in paths)


def _parse_policy(policy: Mapping[str, Any]) -> Policy:
    url, method = policy.get("url"), policy.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise ValueError("a policy must have a url and a method, both of them text")
    parts = tuple(part for part in urlsplit(url).path.split("/") if part)
    if parts[:1] in (("v1",), ("v2",)):
        parts = parts[1:]
    filters: dict[str, str | None] = {}
    named: set[str] = set()
    for name in ("query_filter", "post_filter"):
        given = policy.get(name) or {}
        if not isinstance(given, dict):
            raise ValueError(f"{name} of a policy must be an object")
        named |= given.keys()
        for key, condition in given.items():
            if isinstance(condition, dict):
                filters |= {key: None} if condition.get("required") else {}
            else:
                filters[key] = str(condition)
    only = frozenset(named) if policy.get("post_filter") else None
    return Policy(method.upper(), parts, filters, only)


def _matches_path(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if pattern[-1:] == ("**",):
        pattern, path = pattern[:-1], path[: len(pattern) - 1]
    return len(pattern) == len(path) and all(
        wanted in ("*", part) for wanted, part in zip(pattern, path, strict=True)
    )
