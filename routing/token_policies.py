"""Read what a capability token allows: policies of a path, a method, and what must be said."""

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
        parts: the path below the API's version, cut at its slashes; a last `**` stands for any
            number of parts, a `*` for one.
        required: parameters that a request must say, with their value where it is fixed.
        only: parameters that a form may say; None: any.
    """

    method: str
    parts: tuple[str, ...]
    required: Mapping[str, str | None]
    only: frozenset[str] | None = None

    def allows(self, method: str, path: str, params: Mapping[str, str]) -> bool:
        """Tell whether a request is what this policy permits."""
        return (
            self.method == method
            and _fits(self.parts, tuple(path.split("/")))
            and all(
                name in params and value in (None, params[name])
                for name, value in self.required.items()
            )
            and (self.only is None or self.only.issuperset(params))
        )


def read(found: object) -> tuple[Policy, ...]:
    """Return the allowing policies of a token's `policies`; raises `ValueError` at what is none.

    The hosts of their URLs are not ours and say nothing: paths are compared.
    """
    if not isinstance(found, list) or len(found) > MAX_POLICIES:
        raise ValueError("policies must be a list of at most 200")
    return tuple(_read(each) for each in found if isinstance(each, dict) and each.get("allow"))


def permits(
    policies: tuple[Policy, ...], method: str, path: str, params: Mapping[str, str]
) -> bool:
    """Tell whether any policy allows a request; without one that does it is denied.

    A worker's channels are a part of the worker: who may read the one may read the other.
    """
    paths = [path]
    if method == "GET" and path.endswith("/WorkerChannels"):
        paths.append(path.removesuffix("/WorkerChannels"))
    return any(policy.allows(method, each, params) for policy in policies for each in paths)


def _read(policy: Mapping[str, Any]) -> Policy:
    url, method = policy.get("url"), policy.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise ValueError("a policy has a url and a method")
    parts = tuple(part for part in urlsplit(url).path.split("/") if part)
    if parts[:1] in (("v1",), ("v2",)):
        parts = parts[1:]
    filters: dict[str, str | None] = {}
    named: set[str] = set()
    for name in ("query_filter", "post_filter"):
        given = policy.get(name) or {}
        if not isinstance(given, dict):
            raise ValueError(f"{name} of a policy is an object")
        named |= given.keys()
        for key, condition in given.items():
            if isinstance(condition, dict):
                filters |= {key: None} if condition.get("required") else {}
            else:
                filters[key] = str(condition)
    only = frozenset(named) if policy.get("post_filter") else None
    return Policy(method.upper(), parts, filters, only)


def _fits(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if pattern[-1:] == ("**",):
        pattern, path = pattern[:-1], path[: len(pattern) - 1]
    return len(pattern) == len(path) and all(
        wanted in ("*", part) for wanted, part in zip(pattern, path, strict=True)
    )
