"""A supervisor of a running server, who acts in the cockpit by HTTP as a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import requests

from tests.server import Cordboard

ADMIN = "admin"


class Supervisor:
    """The operator, logged in at the cockpit of one workspace."""

    def __init__(self, server: Cordboard, workspace: str) -> None:
        self.server = server
        self.workspace = workspace
        self.session = requests.Session()
        self._log_in()

    def _log_in(self) -> None:
        page = f"{self.server.url}/accounts/login/"
        self.session.get(page, timeout=60)
        answer = self.session.post(
            page,
            {
                "username": ADMIN,
                "password": self.server.credentials()["ADMIN_PASSWORD"],
                "csrfmiddlewaretoken": self.session.cookies["csrftoken"],
            },
            headers={"Referer": page},
            timeout=60,
        )
        assert "/accounts/login/" not in answer.url, answer.text

    def post(self, path: str, **fields: Any) -> dict[str, Any]:
        """Send a form of the cockpit; return its answer as JSON."""
        answer = self.session.post(
            f"{self.server.url}/supervisor/{path}?workspace={self.workspace}",
            fields,
            headers={
                "Accept": "application/json",
                "X-CSRFToken": str(self.session.cookies["csrftoken"]),
                "Referer": f"{self.server.url}/supervisor/",
            },
            timeout=60,
        )
        found: dict[str, Any] = answer.json()
        return found | {"status": answer.status_code}

    def act(self, command: str, sids: Iterable[str], **fields: Any) -> dict[str, Any]:
        """Carry out a command on rows, with its confirmation."""
        rows = list(sids)
        confirmed = {"confirmed": 1, "typed": len(rows)}
        return self.post(f"do/{command}", subjects=" ".join(rows), **confirmed, **fields)

    def read_batch(self, sid: str) -> str:
        """Return the page of an act."""
        answer = self.session.get(
            f"{self.server.url}/supervisor/changes/{sid}?workspace={self.workspace}", timeout=60
        )
        assert answer.status_code == 200
        return answer.text

    def count_rows(self, sid: str, outcome: str) -> int:
        """Return how many rows of an act have an outcome, from its file."""
        answer = self.session.get(
            f"{self.server.url}/supervisor/changes/{sid}/rows.csv?workspace={self.workspace}",
            timeout=60,
        )
        assert answer.status_code == 200
        return len(re.findall(rf",{outcome},", answer.text))

    def is_running(self, sid: str) -> bool:
        """Return whether an act has no end yet."""
        return "data-running" in self.read_batch(sid)
