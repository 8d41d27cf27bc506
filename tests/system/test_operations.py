"""The commands and files for operators do what docs/operations.md says."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
import requests
from websockets.sync.client import connect

from config.environment import DATABASE_FILE
from tests import database_templates, launcher, page_commands
from tests.required_programs import find_program
from tests.server import ROOT, free_port, wait_until

pytestmark = pytest.mark.postgres

PAGE = "operations.md"
SECRET_KEY = "an-operators-key-which-is-long-enough-for-every-check-of-it-0123456789"
RUN_HERE = (
    ".venv/bin/pip",
    "deploy/manage migrate",
    "deploy/manage first_start",
    "deploy/manage reseal",
    "deploy/manage dumpdata",
    "deploy/manage loaddata",
    "manage.py alive",  # tests/system/test_health.py
)
"""Beginnings of lines, one of which each block of the page has: a new block must be run too."""
FILL = """
from django.core.management import call_command
call_command("first_start")
from django.utils import timezone
from routing.models import Account, Event
from tests import factories
now = timezone.now()
workspace = factories.workspace(account=Account.objects.get())
factories.worker(workspace, capacity={"chat": 3})
factories.accepted(workspace, now=now)
factories.offered(workspace, now=now)
factories.task(workspace, attributes={"name": "Ada – ünïcode"}, now=now)
"""


@dataclass
class Installation:
    """A machine with PostgreSQL and Redis, set up as the page says."""

    data_directory: Path
    values: dict[str, str]

    def carry_out(self, script: str, **changed: str) -> None:
        """Run a block, with changes to the environment file."""
        self.values = page_commands.write_environment(self.data_directory, **self.values | changed)
        page_commands.run_block(script, self.values, self.data_directory)

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` and return what it prints."""
        env = {"PATH": os.environ["PATH"], **self.values}
        env["DJANGO_SETTINGS_MODULE"] = "config.settings"
        ran = launcher.run("manage.py", *arguments, env=env)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def installation(data_directory: Path, **changed: str) -> Installation:
    given = {
        "SECRET_KEY": SECRET_KEY,
        "DATA_DIR": str(data_directory / "data"),
        "ALLOWED_HOSTS": "localhost",
    }
    given |= {
        "STATIC_ROOT": str(data_directory / "static"),
        "REDIS_URL": f"unix://{data_directory}/none.sock",
    }
    return Installation(
        data_directory, page_commands.write_environment(data_directory, **given | changed)
    )


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_url: str, redis_url: str) -> Installation:
    urls = {"DATABASE_URL": page_commands.make_database(postgres_url), "REDIS_URL": redis_url}
    return installation(tmp_path, **urls)


@pytest.fixture(scope="module")
def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with an account, a worker, and a task in each status."""
    data_directory = tmp_path_factory.mktemp("filled")
    found = installation(data_directory, DATABASE_URL="")
    (data_directory / "data").mkdir()
    shutil.copyfile(database_templates.migrated_sqlite(), data_directory / "data" / DATABASE_FILE)
    found.manage("shell", "-v0", "-c", FILL)
    return data_directory / "data" / DATABASE_FILE


@pytest.fixture
def on_sqlite(tmp_path: Path, filled_database: Path) -> Installation:
    """Return an installation with a copy of that file."""
    (tmp_path / "data").mkdir()
    shutil.copyfile(filled_database, tmp_path / "data" / DATABASE_FILE)
    return installation(tmp_path, DATABASE_URL="")


def test_each_block_of_the_page_is_run_by_a_test() -> None:
    for script in page_commands.page_blocks(PAGE):
        assert any(f"\n{beginning}" in f"\n{script}" for beginning in RUN_HERE), script


def test_the_packages_install_with_required_hashes() -> None:
    script = page_commands.find_block(PAGE, ".venv/bin/pip")
    command = script.splitlines()[-1].replace(" -r ", " --no-index --dry-run --quiet -r ")
    assert "--dry-run" in command
    ran = page_commands.run_shell_line(
        command, os.environ
    )  # all of them are here: nothing is fetched
    assert ran.returncode == 0, ran.stderr


def test_two_web_processes_serve_https_behind_nginx(on_postgres: Installation) -> None:
    on_postgres.carry_out(page_commands.find_block(PAGE, "deploy/manage first_start"))
    with contextlib.ExitStack() as stack:
        webs = [stack.enter_context(web_process(on_postgres)) for _ in range(2)]
        ports = [number for number, _ in webs]
        url, certificate = stack.enter_context(nginx(on_postgres.data_directory, ports))
        visitor = requests.Session()
        visitor.verify, visitor.trust_env = str(certificate), False
        look_at_pages(visitor, url, on_postgres)
        use_the_api(visitor, url, on_postgres, certificate)
        # No request notices a process that is gone: what it refuses goes to the other one.
        _, first = webs[0]
        first.kill()
        first.wait()
        answers = [visitor.get(f"{url}/accounts/login/").status_code for _ in range(8)]
        posted = [
            visitor.post(f"{url}/v1/Workspaces", {"FriendlyName": f"floor {number}"}).status_code
            for number in range(4)
        ]
        assert ({*answers}, {*posted}) == ({200}, {201})


def look_at_pages(visitor: requests.Session, url: str, server: Installation) -> None:
    """Log in as a browser does, and load a static file."""
    plain = visitor.get(
        url.replace("https", "http").replace(port(url), plain_port(server)), allow_redirects=False
    )
    assert (plain.status_code, plain.headers["Location"][:8]) == (301, "https://")
    page = visitor.get(f"{url}/accounts/login/")
    assert page.status_code == 200
    assert "Secure" in page.headers["Set-Cookie"]
    assert "max-age" in page.headers["Strict-Transport-Security"]
    path = page.text.split('<link rel="stylesheet" href="')[1].split('"')[0]
    style = visitor.get(url + path)
    assert "immutable" in style.headers["Cache-Control"]
    assert style.headers["Content-Encoding"] in ("br", "gzip")
    given = credentials(server)
    form = {
        "username": given["ADMIN_USER"],
        "password": given["ADMIN_PASSWORD"],
        "csrfmiddlewaretoken": visitor.cookies["csrftoken"],
    }
    answer = visitor.post(
        f"{url}/accounts/login/", form, headers={"Referer": page.url}, allow_redirects=False
    )
    assert answer.status_code == 302, answer.text
    assert "Secure" in answer.headers["Set-Cookie"]


def use_the_api(
    visitor: requests.Session, url: str, server: Installation, certificate: Path
) -> None:
    """Create a worker, and open their websocket; what a client claims of itself is not believed."""
    given = credentials(server)
    visitor.auth = (given["ACCOUNT_SID"], given["AUTH_TOKEN"])
    visitor.headers["X-Forwarded-For"] = "203.0.113.9"
    made = visitor.post(f"{url}/v1/Workspaces", {"FriendlyName": "Floor"})
    assert made.status_code == 201, made.text
    root = made.json()["url"]
    assert root.startswith(f"{url}/v1/")
    worker = visitor.post(f"{root}/Workers", {"FriendlyName": "Alice"}).json()
    (event,) = visitor.get(f"{root}/Events", params={"WorkerSid": worker["sid"]}).json()["events"]
    assert event["source_ip_address"] == "127.0.0.1"
    big = visitor.post(f"{root}/Workflows", {"FriendlyName": "w", "Configuration": "x" * 3_200_000})
    assert big.status_code == 413
    token = visitor.post(f"{root}/Tokens", {"WorkerSid": worker["sid"]}).json()["token"]
    query = urlencode({"token": token})
    trusted = ssl.create_default_context(cafile=certificate)
    with connect(f"{url.replace('http', 'ws')}/v1/wschannels?{query}", ssl=trusted) as channel:
        assert "init" in channel.recv(timeout=30)


@contextlib.contextmanager
def web_process(server: Installation) -> Iterator[tuple[str, launcher.Started]]:
    """Run the command of the unit on a free port; yield that port and the process."""
    unit = (ROOT / "deploy/systemd/cordboard-web@.service").read_text()
    command = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    number = str(free_port())
    program, *arguments = command.removeprefix("ExecStart=").replace("%i", number).split()
    assert program.endswith("/.venv/bin/daphne")
    output = server.data_directory / f"web-{number}.out"
    env = {"PATH": os.environ["PATH"], **server.values, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with output.open("wb") as file:
        process = launcher.start("-m", "daphne", *arguments, env=env, stdout=file)
    try:
        wait_until(lambda: listens(number) or process.poll() is not None, "the web listens")
        assert process.poll() is None, output.read_text()
        yield number, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextlib.contextmanager
def nginx(data_directory: Path, ports: list[str]) -> Iterator[tuple[str, Path]]:
    """Run nginx with the sample; yield its URL and its certificate."""
    program = find_program("nginx", places=("/usr/sbin", "/usr/local/sbin"))
    certificate, key = data_directory / "fullchain.pem", data_directory / "privkey.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    made = [find_program("openssl"), "req", "-x509", *kind, *subject, *files]
    subprocess.run(made, check=True, capture_output=True)
    plain, secure = str(free_port()), str(free_port())
    (data_directory / "plain-port").write_text(plain)
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    for sample, here in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "server_name cordboard.example;": "server_name localhost;",
        "/etc/ssl/cordboard": str(data_directory),
        "127.0.0.1:8001": f"127.0.0.1:{ports[0]}",
        "127.0.0.1:8002": f"127.0.0.1:{ports[1]}",
    }.items():
        assert sample in site, sample
        site = site.replace(sample, here)
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{name}_temp_path {data_directory}/{name};" for name in paths)
    (data_directory / "site.conf").write_text(site)
    (data_directory / "nginx.conf").write_text(
        f"daemon off; pid {data_directory}/nginx.pid; error_log {data_directory}/error.log;"
        + ("user root;" if os.getuid() == 0 else "")
        + f"events {{}} http {{ access_log off; {places} include {data_directory}/site.conf; }}"
    )
    command = [program, "-p", str(data_directory), "-c", str(data_directory / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listens(secure) or process.poll() is not None, "nginx listens")
            assert process.poll() is None, (data_directory / "error.log").read_text()
            yield f"https://localhost:{secure}", certificate
        finally:
            process.terminate()


def listens(number: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(number))) == 0


def port(url: str) -> str:
    return url.rpartition(":")[2]


def plain_port(server: Installation) -> str:
    return (server.data_directory / "plain-port").read_text()


def credentials(server: Installation) -> dict[str, str]:
    text = (server.data_directory / "data" / "credentials.env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_database_moves_to_postgresql_and_back(
    on_sqlite: Installation, postgres_url: str
) -> None:
    dump = page_commands.find_block(PAGE, "deploy/manage dumpdata")
    load = page_commands.find_block(PAGE, "deploy/manage loaddata")
    file, url = (
        on_sqlite.data_directory / "data" / DATABASE_FILE,
        page_commands.make_database(postgres_url),
    )
    with contextlib.closing(sqlite3.connect(file)) as connection:
        before = rows(connection)
    assert all(before)
    on_sqlite.carry_out(dump)
    on_sqlite.carry_out(load, DATABASE_URL=url)
    with psycopg.connect(url) as server:
        assert rows(server) == before
        # Read by programs in the order of transactions: those of the old database come first.
        server.execute("UPDATE events SET transaction_id = 7000000000 - id")
    on_sqlite.carry_out(dump)
    file.unlink()
    shutil.copyfile(database_templates.migrated_sqlite(), file)
    on_sqlite.carry_out(load, DATABASE_URL="")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert rows(connection) == before
        log = connection.execute("SELECT id FROM events ORDER BY transaction_id, id").fetchall()
        assert log == sorted(log, reverse=True)
        assert connection.execute("SELECT max(transaction_id) FROM events").fetchone() == (-1,)


def rows(connection: sqlite3.Connection | psycopg.Connection) -> list[list[tuple[object, ...]]]:
    """Return what must be the same in every database."""
    return [
        [tuple(map(str, row)) for row in connection.execute(f"{question} ORDER BY 1, 2").fetchall()]
        for question in (
            "SELECT sid, sealed_auth_token FROM accounts",
            "SELECT sid, assignment_status, attributes FROM tasks",
            "SELECT sid, reservation_status FROM reservations",
            "SELECT sid, event_type FROM events",
            "SELECT assignment_status, sum(tasks) FROM task_counts GROUP BY 1",
            "SELECT username, password FROM auth_user",
        )
    ]


def test_the_secret_key_changes_with_an_overlap(on_sqlite: Installation) -> None:
    new = SECRET_KEY[::-1]
    script = page_commands.find_block(PAGE, "deploy/manage reseal")
    on_sqlite.carry_out(script, SECRET_KEY=new, SECRET_KEY_FALLBACKS=SECRET_KEY)
    on_sqlite.carry_out("deploy/manage doctor", SECRET_KEY_FALLBACKS="")
    with pytest.raises(AssertionError, match="cannot be read"):
        on_sqlite.carry_out("deploy/manage doctor", SECRET_KEY=SECRET_KEY)


def test_a_dump_of_postgresql_is_restored(on_postgres: Installation) -> None:
    find_program("pg_dump")
    url = on_postgres.values["DATABASE_URL"]
    on_postgres.manage("first_start")
    on_postgres.carry_out(page_commands.find_block("backup.md", "pg_dump"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE accounts CASCADE")
    on_postgres.carry_out(page_commands.find_block("backup.md", "pg_restore"))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (1,)


def test_a_copy_of_sqlite_is_restored(on_sqlite: Installation) -> None:
    find_program("sqlite3")
    file = on_sqlite.data_directory / "data" / DATABASE_FILE
    on_sqlite.carry_out(page_commands.find_block("backup.md", "sqlite3"))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE accounts SET friendly_name = 'later'")
        connection.commit()
        left = {path: path.read_bytes() for path in file.parent.glob(f"{DATABASE_FILE}*")}
    for path, content in left.items():  # as a server leaves them that was killed
        path.write_bytes(content)
    assert len(left) > 1
    on_sqlite.carry_out(page_commands.find_block("backup.md", "rm -f"))
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT friendly_name FROM accounts").fetchall() == [
            ("Cordboard",)
        ]
