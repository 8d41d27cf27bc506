"""Environment variables: their values, and the messages for wrong ones."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.serve import preflight
from tests import launcher
from tests.server import ROOT, SETTINGS


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*SETTINGS, "SECRET_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a management command in a bare environment with these variables."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return launcher.run("manage.py", *arguments, env=bare | variables)


def test_sqlite_in_the_data_directory_is_the_default(tmp_path: Path) -> None:
    settings = environment.database("", tmp_path)
    assert settings["NAME"] == tmp_path / "cordboard.sqlite3"
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    for wanted in ("journal_mode=WAL", "wal_autocheckpoint=4000", "cache_size=-8000"):
        assert wanted in settings["OPTIONS"]["init_command"]


def test_a_postgres_url_is_parsed(tmp_path: Path) -> None:
    settings = environment.database(
        "postgres://me:p%40ss@db.example:6543/cord?sslmode=require", tmp_path
    )
    assert settings["ENGINE"] == "config.patches.postgresql"
    assert (settings["NAME"], settings["USER"], settings["PASSWORD"]) == ("cord", "me", "p@ss")
    assert (settings["HOST"], settings["PORT"]) == ("db.example", 6543)
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["CONN_MAX_AGE"] == 0


def test_postgres_connections_have_keepalives_and_limits_against_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_STATEMENT_SECONDS", "90")
    settings = environment.database("postgres://me@db/cord?tcp_user_timeout=4000", tmp_path)
    assert settings["OPTIONS"]["tcp_user_timeout"] == "4000"
    assert settings["OPTIONS"]["keepalives_idle"] == 10
    assert settings["LIMITS"] == {
        "statement_timeout": 90,
        "idle_in_transaction_session_timeout": 5,
    }


def test_a_postgres_socket_is_named_by_its_directory(tmp_path: Path) -> None:
    assert (
        environment.database("postgres://me@/cord?host=%2Frun%2Fpg", tmp_path)["HOST"] == "/run/pg"
    )


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "cordboard.db", "postgres://h:port/d", "sqlite://x"]
)
def test_an_unusable_database_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.database(url, tmp_path)


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://:secret@h:6379/2", "redis://:secret@h:6379/2"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
    ],
)
def test_the_broker_gets_the_redis_url_in_its_own_spelling(
    url: str, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert environment.broker_url(environment.redis_url(tmp_path)) == broker


@pytest.mark.parametrize("url", ["localhost:6379", "amqp://h", "redis://", "unix://"])
def test_an_unusable_redis_url_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        environment.redis_url(tmp_path)


def test_a_socket_path_never_exceeds_the_limit_of_the_kernel(tmp_path: Path) -> None:
    near, far = tmp_path / "var", tmp_path / ("far" * 40)
    assert environment.embedded_redis_socket(near).is_relative_to(near)
    path = environment.embedded_redis_socket(far)
    assert len(os.fsencode(path)) <= environment.LONGEST_SOCKET_PATH
    assert path == environment.embedded_redis_socket(far)


def test_concurrent_starts_make_one_key_and_all_read_it(tmp_path: Path) -> None:
    keys: list[str] = []

    def start() -> None:
        environment.ensure_secret_key(tmp_path)
        keys.append(environment.secret_key(tmp_path, debug=False))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    path = tmp_path / environment.SECRET_KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [path.name]


def test_the_secret_key_of_the_environment_wins_even_if_it_names_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.ensure_secret_key(tmp_path)
    (tmp_path / "given").write_text("from a file\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "given"))
    assert environment.secret_key(tmp_path, debug=False) == "from a file"


def test_nothing_starts_without_debug_and_without_a_key(tmp_path: Path) -> None:
    refused = manage("check", DATA_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert f"No server has run on DATA_DIR={tmp_path}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert manage("check", DATA_DIR=str(tmp_path), SECRET_KEY="k" * 60).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("TASK_RETENTION_DAYS", "a month"),
        ("ASSIGNED_TASK_LIFETIME", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_an_invalid_value_stops_the_start_with_a_message(
    name: str, value: str, tmp_path: Path
) -> None:
    refused = manage("check", **{"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 60, name: value})
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    key = "".join(chr(33 + number) for number in range(80))
    given = {
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": key,
        "HTTPS": "1",
        "ALLOWED_HOSTS": "cordboard.example",
    }
    check = ("check", "--deploy", "--fail-level", "WARNING")
    checked = manage(*check, TRUSTED_PROXIES="1", **given)
    assert checked.returncode == 0, checked.stderr
    checked = manage(*check, **given)
    assert checked.returncode == 1
    assert "TRUSTED_PROXIES is not set" in checked.stderr


@pytest.mark.parametrize(
    ("text", "trusted"),
    [
        ("", []),
        ("0", 0),
        ("2", 2),
        ("10.0.0.0/8, ::1", [ip_network("10.0.0.0/8"), ip_network("::1")]),
    ],
)
def test_trusted_proxies_are_a_number_or_networks(
    monkeypatch: pytest.MonkeyPatch, text: str, trusted: object
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", text)
    assert environment.trusted_proxies("TRUSTED_PROXIES") == trusted


@pytest.mark.parametrize("text", ["11", "-1", "all", "10.0.0.1/8", "1,2,x"])
def test_trusted_proxies_that_are_neither_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", text)
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        environment.trusted_proxies("TRUSTED_PROXIES")


@pytest.mark.parametrize(
    ("text", "limit"),
    [("", None), ("100/second", (100, 1)), ("6000/minute", (6000, 60)), ("9 / hour", (9, 3600))],
)
def test_a_rate_limit_is_a_number_and_a_period(
    monkeypatch: pytest.MonkeyPatch, text: str, limit: tuple[int, int] | None
) -> None:
    monkeypatch.setenv("RATE_LIMIT", text)
    assert environment.parse_rate_limit("RATE_LIMIT") == limit


@pytest.mark.parametrize("text", ["100", "100/day", "0/second", "-1/hour", "many/minute", "/hour"])
def test_an_invalid_rate_limit_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("RATE_LIMIT", text)
    with pytest.raises(ImproperlyConfigured, match="RATE_LIMIT"):
        environment.parse_rate_limit("RATE_LIMIT")


def test_an_origin_is_a_scheme_and_a_host_or_a_wildcard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example, http://localhost:3000,*")
    assert environment.parse_origins("CORS_ORIGINS") == [
        "https://app.example",
        "http://localhost:3000",
        "*",
    ]
    monkeypatch.setenv("CORS_ORIGINS", "")
    assert environment.parse_origins("CORS_ORIGINS") == []


@pytest.mark.parametrize("text", ["app.example", "https://app.example/", "null", "https://"])
def test_an_invalid_origin_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", text)
    with pytest.raises(ImproperlyConfigured, match="CORS_ORIGINS"):
        environment.parse_origins("CORS_ORIGINS")


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_data_directory_that_cannot_be_made_stops_the_start_with_a_message(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    refused = manage(command, DATA_DIR=str(tmp_path / "file" / "var"), SECRET_KEY="k" * 60)
    assert refused.returncode == 1
    assert f"DATA_DIR: {tmp_path}/file/var cannot be created" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_command_without_a_key_makes_no_data_directory(tmp_path: Path) -> None:
    refused = manage("demo_traffic", DATA_DIR=str(tmp_path / "mistyped"))
    assert refused.returncode == 1
    assert "demo_traffic cannot run: No server has run on" in refused.stderr
    assert not (tmp_path / "mistyped").exists()


def test_a_data_directory_that_cannot_be_written_stops_the_start_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(preflight.StartRefused, match=f"DATA_DIR: {tmp_path} cannot be written"):
        preflight.check_start(tmp_path, "127.0.0.1", 8000)


def test_a_python_without_the_packages_prints_which_python_to_use() -> None:
    refused = subprocess.run(
        [sys.executable, "-S", "manage.py", "check"], cwd=ROOT, capture_output=True, text=True
    )
    assert refused.stderr == (
        "Cordboard cannot start: this Python has no package django. Use `make run`, or"
        " `.venv/bin/python manage.py …`.\n"
    )


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_data_directory_is_private_even_if_it_existed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tmp_path / "there"
    found.mkdir(mode=0o755)
    for name in ("cordboard.sqlite3", "cordboard.sqlite3-wal", "secret-key", "notes.txt"):
        (found / name).write_text("")
        (found / name).chmod(0o644)
    monkeypatch.setenv("DATA_DIR", str(found))
    assert environment.data_dir() == found
    assert mode_of(found) == 0o700
    assert mode_of(found / "cordboard.sqlite3") == mode_of(found / "secret-key") == 0o600
    assert mode_of(found / "cordboard.sqlite3-wal") == 0o600
    assert mode_of(found / "notes.txt") == 0o644
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    assert mode_of(environment.data_dir()) == 0o700


def test_a_shared_directory_keeps_its_mode_and_secrets_in_it_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "cordboard.sqlite3").write_text("")
    (shared / "cordboard.sqlite3").chmod(0o644)
    monkeypatch.setenv("DATA_DIR", str(shared))
    environment.data_dir()
    assert mode_of(shared) == 0o1777
    assert mode_of(shared / "cordboard.sqlite3") == 0o600
    checkout = tmp_path / "checkout"
    checkout.mkdir(mode=0o755)
    monkeypatch.setattr(environment, "BASE_DIR", checkout)
    for directory in (checkout, tmp_path):
        directory.chmod(0o755)
        monkeypatch.setenv("DATA_DIR", str(directory))
        environment.data_dir()
        assert mode_of(directory) == 0o755


def test_a_database_is_private_whichever_command_makes_it(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    made = manage("showmigrations", "routing", DATA_DIR=str(directory), SECRET_KEY="k" * 50)
    assert made.returncode == 0, made.stderr
    assert mode_of(directory / "cordboard.sqlite3") == 0o600
