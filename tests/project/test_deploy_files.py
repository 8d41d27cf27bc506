"""Deployment files: the image's content, compose.yaml, and the files in `deploy/`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.serve.process import PARTS
from tests import page_commands
from tests.server import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
"""All packages of the application."""
OURS = ("migrate", "web", "jobs", "callbacks", "beat")
RUNNER_FLAGS = {"--quiet", "--without-gossip", "--without-mingle", "--without-heartbeat"}
WORKERS = ("jobs", "callbacks")
SECRETS = (
    *(".env", ".env.production", "config/.env", "routing/.env.local", "credentials.env"),
    *("config/credentials.env", "cordboard.sqlite3", "routing/cordboard.sqlite3-wal"),
    *("secret-key", "config/secret-key", "var/secret-key", "var/credentials.env", "backup.dump"),
    *("privkey.pem", "config/privkey.pem", "config/tls.key", "deploy/environment", ".git/config"),
    *("cordboard.jsonl", "staticfiles/x.css", ".venv/bin/python", "tests/postgres.py"),
)


# --- The image ------------------------------------------------------------------------------


def is_sent(path: str) -> bool:
    """Return whether a path is in the build context, by the rules of `.dockerignore`.

    The last line that fits the path or a folder above it decides.
    """
    sent = True
    parents = [path, *map(str, Path(path).parents)]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = as_expression(line.removeprefix("!"))
            if any(re.fullmatch(pattern, each) for each in parents):
                sent = line.startswith("!")
    return sent


def as_expression(pattern: str) -> str:
    parts = re.split(r"(\*\*/|\*)", pattern.strip("/"))
    known = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return "".join(known.get(part, re.escape(part)) for part in parts)


@pytest.mark.parametrize("path", SECRETS)
def test_the_build_context_of_the_image_has_no_secret(path: str) -> None:
    assert not is_sent(path)


def test_the_build_context_of_the_image_has_only_what_runs() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    sent = {path for path in listed if is_sent(path)}
    packages = (
        *(f"{package}/" for package in PACKAGES),
        *("static/", "templates/"),
        "docs/images/",  # the pictures of the desk's help
        "docs/language.md",  # which the admin shows
    )
    assert {path for path in listed if path.startswith(packages)} <= sent
    rest = {path for path in sent if not path.startswith((*packages, "requirements/"))}
    assert rest == {"LICENSE", "manage.py"}


def test_the_dockerfile_names_no_secret_and_runs_as_a_user() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["cordboard"]
    compiled = re.findall(r"compileall -q (.*) \\$", text, re.MULTILINE)[0].split()
    assert compiled == sorted(PACKAGES)
    kept = text.rpartition("\nFROM ")[2]
    assert not re.search(r"SECRET|PASSWORD|TOKEN", kept)


# --- compose.yaml ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMPOSE)
def test_a_container_is_limited_and_confined(name: str) -> None:
    service = COMPOSE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    if name in OURS:
        assert "cap_add" not in service


@pytest.mark.parametrize("name", COMPOSE)
def test_a_container_is_checked_and_starts_again(name: str) -> None:
    service = COMPOSE[name]
    if name == "migrate":  # it ends, and the others wait for that
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    if name in (*WORKERS, "beat"):
        assert service["healthcheck"]["test"][-2:] == ["alive", name]


def test_several_web_processes_are_reached_only_through_the_proxy() -> None:
    published = {name for name, service in COMPOSE.items() if "ports" in service}
    assert published == {"proxy"}
    assert all(":" in each for each in COMPOSE["proxy"]["ports"])
    assert COMPOSE["web"]["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-1}"
    assert "./deploy/Caddyfile:/etc/caddy/Caddyfile:ro" in COMPOSE["proxy"]["volumes"]


@pytest.mark.parametrize("name", WORKERS)
def test_runners_are_started_as_make_run_starts_them(name: str) -> None:
    unit = (DEPLOY / "systemd" / f"cordboard-{name}.service").read_text()
    of_unit = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0].replace("%%", "%").split()
    of_compose = COMPOSE[name]["command"]
    of_kubernetes = container(name)["command"]
    assert of_unit[1:] == of_compose[1:] == of_kubernetes[1:]
    assert {*of_compose} >= RUNNER_FLAGS
    assert f"{name}@%h" in of_compose


def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("needs docker-compose, which is not on this machine")
    text = (ROOT / ".env.example").read_text()
    given = tmp_path / "env"
    filled = re.sub(r"(?m)^(SECRET_KEY|POSTGRES_PASSWORD)=$", r"\1=x", text)
    given.write_text(filled)
    command = [program, "--env-file", str(given), "--file", "compose.yaml", "config", "--quiet"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_sample_environment_names_every_variable_of_compose() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert asked - named == {"ADMIN_USER"}
    assert named <= asked


# --- Units, manifests, proxies --------------------------------------------------------------


def test_each_part_has_a_well_formed_unit(tmp_path: Path) -> None:
    units = {path.name: path for path in (DEPLOY / "systemd").iterdir()}
    parts = {re.sub(r"^cordboard-|@?\.service$", "", name) for name in units}
    assert {*PARTS} <= parts
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze, which is not on this machine")
    for name, path in units.items():
        text = path.read_text().replace("/opt/cordboard", str(ROOT))
        (tmp_path / name.replace("@.", "@1.")).write_text(text)
        (tmp_path / name).write_text(text)
    env = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    files = [str(path) for path in tmp_path.glob("*.service") if "@." not in path.name]
    ran = subprocess.run(
        [program, "verify", "--man=no", *files], env=env, capture_output=True, text=True
    )
    ours = [line for line in ran.stderr.splitlines() if "cordboard" in line]
    assert not ours, ran.stderr


def manifests() -> list[dict[str, Any]]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    return {
        each["metadata"]["name"].removeprefix("cordboard-"): each["spec"]["template"]["spec"]
        for each in manifests()
        if each["kind"] in ("Deployment", "Job")
    }


def container(name: str) -> dict[str, Any]:
    (found,) = pods()[name]["containers"]
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", OURS)
def test_a_pod_is_limited_confined_and_probed(name: str) -> None:
    pod, found = pods()[name], container(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    confined = found["securityContext"]
    assert confined["readOnlyRootFilesystem"] is True
    assert confined["allowPrivilegeEscalation"] is False
    assert confined["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in found["resources"]["limits"]
    assert {each["mountPath"] for each in found["volumeMounts"]} == {"/data", "/" + "tmp"}
    if name == "web":
        assert found["livenessProbe"]["httpGet"]["path"] == "/livez"
        assert found["readinessProbe"]["httpGet"]["path"] == "/readyz"
    elif name != "migrate":
        assert found["livenessProbe"]["exec"]["command"][-2:] == ["alive", name]


def test_selectors_match_their_pods_and_each_manifest_is_applied() -> None:
    for each in manifests():
        if each["kind"] == "Deployment":
            spec = each["spec"]
            assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    (service,) = [each for each in manifests() if each["kind"] == "Service"]
    assert service["spec"]["selector"] == {"app": "cordboard", "part": "web"}
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    here = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert here - {*listed} == {"kustomization.yaml", "migrate.yaml"}


def test_caddy_accepts_the_caddyfile() -> None:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("needs caddy, which is not on this machine")
    command = [program, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    env = {**os.environ, "SITE_ADDRESS": "http://"}
    ran = subprocess.run(command, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_manage_py_runs_with_the_environment_of_the_units(tmp_path: Path) -> None:
    values = page_commands.write_environment(
        tmp_path,
        SECRET_KEY="letters-of-many-kinds-0123456789-and-more-than-fifty",
        DATA_DIR=str(tmp_path / "data"),
    )
    assert values["HTTPS"] == "1"
    known = {"PATH": os.environ["PATH"], "CORDBOARD_ENVIRONMENT": str(tmp_path / "environment")}
    ran = page_commands.run_shell_line("deploy/manage check --deploy --fail-level WARNING", known)
    assert ran.returncode == 0, ran.stderr
    missing = known | {"CORDBOARD_ENVIRONMENT": str(tmp_path / "none")}
    assert page_commands.run_shell_line("deploy/manage check", missing).returncode != 0
