"""Two web processes behind nginx, as production has them, that can be restarted one by one."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests import database_templates, launcher
from tests.required_programs import find_program
from tests.server import LONGEST_END_SECONDS, Cordboard, free_port, running_server, wait_until

NGINX = """
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' '{connection}'; }}
    upstream web {{
        # A server that restarts refuses connections for a moment: the next request asks it again.
        {servers}
        {keepalive}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_next_upstream error timeout http_503;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Request-Id $request_id;
        }}
    }}
}}
"""


class WebProcess:
    """A Daphne, started by the command that the README names."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.home = home
        self.environment = environment
        self.process: launcher.Started | None = None

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        command = ["-m", "daphne", "--port", str(self.port), "config.asgi:application"]
        with (self.home / f"{self.port}.out").open("ab") as output:
            self.process = launcher.start(*command, env=self.environment, stdout=output)
        wait_until(lambda: self._is_ready(), "the web process is ready")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST_END_SECONDS)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        assert self.process.wait(LONGEST_END_SECONDS) == 0

    def kill(self) -> None:
        """Kill the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Cluster:
    """A whole Cordboard, and two more web processes that nginx shares requests among."""

    def __init__(self, server: Cordboard, webs: list[WebProcess], port: int) -> None:
        self.server = server
        self.webs = webs
        self.port = port

    def restart(self, count: int) -> None:
        """Restart the web processes in turn, `count` times in all."""
        for number in range(count):
            web = self.webs[number % len(self.webs)]
            web.end()
            web.start()


def make_database(postgres_url: str) -> str:
    """Return the URL of a new database with all tables and no rows."""
    name = f"rolling_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        template = database_templates.migrated_postgres(postgres_url)
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return postgres_url.replace("/postgres?", f"/{name}?")


@contextlib.contextmanager
def running_cluster(
    home: Path,
    postgres_url: str,
    redis_url: str,
    *,
    keepalive: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """Run a server, two more web processes and nginx.

    Arguments:
        keepalive: whether nginx keeps its connections to the web processes.
        settings: what the web processes' environment has besides.
    """
    nginx = find_program("nginx", places=("/usr/sbin", "/usr/local/sbin"))
    services = {"DATABASE_URL": make_database(postgres_url), "REDIS_URL": redis_url}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(home / "var", demo=True, environment=services))
        environment = {**os.environ, **services, "DATA_DIR": str(server.home)}
        environment |= {"TRUSTED_PROXIES": "1", "DJANGO_SETTINGS_MODULE": "config.settings"}
        del environment["SECRET_KEY"]
        webs = [WebProcess(home, {**environment, **(settings or {})}) for _ in range(2)]
        for web in webs:
            web.start()
            stack.callback(web.kill)
        port = free_port()
        text = NGINX.format(
            home=home,
            port=port,
            servers="\n        ".join(f"server 127.0.0.1:{web.port} max_fails=0;" for web in webs),
            connection="" if keepalive else "close",
            keepalive="keepalive 16;" if keepalive else "",
        )
        (home / "nginx.conf").write_text(text)
        command = [nginx, "-p", str(home), "-c", str(home / "nginx.conf")]
        proxy = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        found = Cluster(server, webs, port)
        wait_until(lambda: _listens(port), "nginx listens")
        yield found


def _listens(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_END_SECONDS)
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.connect()
        return True
    return False
