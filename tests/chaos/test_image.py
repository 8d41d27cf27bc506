"""The image as `docker build` makes it, built by Buildah on a base from Debian's packages.

No registry is used. It takes some minutes, root, and debootstrap and buildah.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import ROOT, free_port

pytestmark = pytest.mark.chaos

BASE = re.findall(r"^FROM (\S+) AS", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
RELEASE = "trixie"  # the one whose Python is the image's
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
PLANTED = (".env", "config/.env", "credentials.env", "cordboard.sqlite3", "deploy/environment")
MARK = "this-is-a-secret-of-the-operator"
SERVE = """
python manage.py serve & server=$!
until python -c "$PROBE" 2>/dev/null; do kill -0 $server || exit 9; sleep 1; done
touch /app/written 2>/dev/null && exit 8
test "$(id -un)" = cordboard || exit 7
kill $server
wait $server
"""
PROBE = "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/readyz', timeout=5)"
LONGEST_SECONDS = 560


class Buildah:
    """Buildah with a store of its own."""

    def __init__(self, home: Path) -> None:
        self.options = ["--root", f"{home}/store", "--runroot", f"{home}/run"]

    def __call__(self, command: str, *arguments: str) -> str:
        """Run one of its commands and return what it prints."""
        given = ["buildah", *self.options, "--storage-driver", "vfs", command, *arguments]
        ran = subprocess.run(given, capture_output=True, text=True, timeout=LONGEST_SECONDS)
        assert ran.returncode == 0, f"{command} {arguments}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout.strip()


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """Return Buildah with the image `cordboard`, whose context had secrets lying about."""
    if os.getuid() != 0:
        pytest.skip("needs root, to make a base and to enter it")
    for program in ("debootstrap", "buildah"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, which is not on this machine")
    home = tmp_path_factory.mktemp("image")
    run = Buildah(home)
    base, context = home / "base", home / "context"
    make_base(base)
    container = run("from", "scratch")
    run("add", "--quiet", container, str(base), "/")
    run("commit", "--quiet", container, f"docker.io/library/{BASE}")
    run("rm", container)
    shutil.rmtree(base)
    make_context(context)
    network = ["--isolation", "chroot", "--network", "host", "--pull-never"]
    run("build", *network, "--build-arg", "UV_SYSTEM_CERTS=1", "--tag", "cordboard", str(context))
    yield run
    shutil.rmtree(home, ignore_errors=True)


def make_base(base: Path) -> None:
    """Make what stands for the official Python image."""
    options = ["--variant=minbase", f"--include={PACKAGES}", RELEASE, str(base)]
    made = subprocess.run(["debootstrap", *options], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-2_000:]
    (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for file in base.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        file.unlink()
    # Those of this machine, whose network may need them.
    if Path("/", CERTIFICATES).exists():
        shutil.copyfile(Path("/", CERTIFICATES), base / CERTIFICATES)


def make_context(context: Path) -> None:
    """Copy the checkout, with secrets as operators leave them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, context / name)
    for name in PLANTED:
        (context / name).write_text(f"SECRET_KEY={MARK}\n")


def test_the_image_has_no_secret_of_its_build_context(buildah: Buildah) -> None:
    container = buildah("from", "--pull-never", "cordboard")
    root = Path(buildah("mount", container))
    assert (root / "app/staticfiles").is_dir()
    assert not (root / "app/tests").exists()
    found = subprocess.run(["grep", "-rl", MARK, str(root)], capture_output=True, text=True)
    assert found.stdout == ""
    assert buildah("inspect", "--format", "{{.OCIv1.Config.User}}", container) == "cordboard"
    environment = buildah("inspect", "--format", "{{.OCIv1.Config.Env}}", container)
    assert not re.search("SECRET|PASSWORD|TOKEN", environment)
    buildah("rm", container)


def test_the_image_runs_as_a_user_who_cannot_change_it(buildah: Buildah) -> None:
    container = buildah("from", "--pull-never", "cordboard")
    port = str(free_port())
    settings = {"PORT": port, "HOST": "127.0.0.1", "PROBE": PROBE.format(port=port)}
    given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    network = ["--isolation", "chroot", "--network", "host"]
    output = buildah("run", *network, *given, container, "--", "sh", "-c", SERVE)
    assert "Cordboard is ready" in output
    buildah("rm", container)
