"""The page of the guide "Build your own desk" works against the demo, in a real browser."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Customers
from tests.javascript_sdk.npm_install import install_npm_packages
from tests.server import ROOT, Cordboard

pytestmark = pytest.mark.browser


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def page_url() -> Iterator[str]:
    """Serve the guide's page with the package beside it, as the guide says."""
    home = install_npm_packages()
    shutil.copy(ROOT / "docs" / "own-desk" / "index.html", home)
    guide = (ROOT / "docs" / "build-your-own-desk.md").read_text()
    (bundle,) = re.findall(r"^npx (esbuild .*\\\n.*)$", guide, re.MULTILINE)
    subprocess.run(f"node_modules/.bin/{bundle}", shell=True, cwd=home, check=True)  # noqa: S602 - ours
    handler = functools.partial(Quiet, directory=str(home))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_an_agent_completes_a_task_on_the_page_of_the_guide(
    cordboard: Cordboard, chromium: Browser, page_url: str, customers: Customers
) -> None:
    given = cordboard.credentials()
    made = subprocess.run(
        [sys.executable, "manage.py", "token", given["AGENT_USER"]],
        cwd=ROOT,
        env=cordboard.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    page = chromium.new_page()
    page.goto(page_url)
    page.get_by_label("Server").fill(cordboard.url)
    page.get_by_label("Token").fill(made.stdout.strip())
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Activity").select_option(label="Available")
    task = customers.post("A desk of one's own", channel="chat")
    card = page.get_by_role("listitem").filter(has_text="A desk of one's own")
    card.get_by_role("button", name="Accept").click()
    expect(card).to_contain_text("accepted")
    card.get_by_role("button", name="Complete").click()
    expect(card).to_have_count(0)
    assert customers.status(task) == "completed"
    page.close()
