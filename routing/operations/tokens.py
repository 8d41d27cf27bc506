"""Operation for access tokens, with which other desks act for a worker or a supervisor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from routing import keys, models, secretbox, tokens
from routing.fields.schemas import sample_sid
from routing.operations import parameters, references
from routing.operations.base import Arguments, Operation
from routing.operations.errors import ApiError
from routing.tokens import DEFAULT_TTL, MAX_TTL, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedToken:
    """A new access token and what it allows."""

    token: str
    worker: models.Worker | None
    role: Role
    expires: datetime


class WorkspaceTokenOperation(Operation):
    """An access token for one workspace."""

    params = (
        references.reference("WorkerSid", models.Worker, "WK", argument="worker").describe(
            "The worker it acts for. Without one it opens no session and is read-only, unless its"
            " role allows more.",
            sample_sid("WK"),
        ),
        parameters.choice("Role", Role).describe(
            "The role: `worker`, the default, may change the worker, their offers and"
            " their tasks; `supervisor` and `admin` may also change others'.",
            "worker",
        ),
        parameters.whole_number("Ttl", least=1, most=MAX_TTL).describe(
            f"The lifetime in seconds. Defaults to {DEFAULT_TTL}.", DEFAULT_TTL
        ),
        parameters.text("Identity", limit=256).describe(
            "A name of your choice that is stored in it.", "mari"
        ),
    )

    def sign(self, arguments: Arguments, *, sealed: str) -> SignedToken:
        """Return a new token. Raises `ApiError` if the caller's key was revoked by now.

        Arguments:
            sealed: the secret of the caller's key, as stored.
        """
        worker: models.Worker | None = arguments.get("worker")
        role: Role = arguments.get("role", Role.WORKER)
        ttl: int = arguments.get("ttl", DEFAULT_TTL)
        signed_by = self.actor.sid or ""
        key = keys.find_key(signed_by)
        if key is None or not secretbox.matches_any_secret(key.secrets, sealed):
            raise ApiError(
                f"The credentials of {signed_by} were revoked while the request was carried out",
                status=409,
                code=20409,
            )
        token = tokens.mint_token(
            account=self.context.account,
            key_sid=signed_by,
            secret=secretbox.unseal(sealed),
            workspace_sid=self.workspace.sid,
            worker_sid=None if worker is None else worker.sid,
            role=role,
            identity=arguments.get("identity") or None,
            ttl=ttl,
            now=self.now,
        )
        return SignedToken(
            token=token, worker=worker, role=role, expires=self.now + timedelta(seconds=ttl)
        )
