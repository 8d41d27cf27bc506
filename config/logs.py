"""Configuration of the log: one line on stderr for each thing an operator needs to know."""

from __future__ import annotations

import json
import logging.config
import sys
import threading
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from environs import ValidationError
from structlog.typing import Processor

from config.environment import env

FORMS: Final = ("plain", "json")
_uncaught: Final = logging.getLogger("config.uncaught")


def check_form(form: str) -> None:
    """Raise `ValidationError` unless the form of log lines is a known one."""
    if form not in FORMS:
        raise ValidationError(f"LOG_FORMAT is {form!r}; it must be one of {', '.join(FORMS)}")


def is_json() -> bool:
    """Return whether each line must be a JSON object."""
    return env.str("LOG_FORMAT", "plain", validate=check_form) == "json"


def configure(*, level: int) -> None:
    """Send structlog's events and the standard library's records to stderr, in one form.

    With JSON, this includes Python's warnings and uncaught exceptions.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(allow=()),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    ending: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if is_json():
        ending += [
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
        logging.captureWarnings(True)
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread
    else:
        ending += [
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    logging.config.dictConfig(_logger_settings(level, shared, ending))


def format_line(event: str, *, logger: str, level: str = "info", **fields: object) -> str:
    """Return a JSON line in the log's form, for programs that print rather than log."""
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    found = {"event": event, "logger": logger, "level": level, "timestamp": moment}
    return json.dumps(found | fields, ensure_ascii=False)


def add_part_name(text: str, part: str) -> str:
    """Return a part's JSON line with the part's name added."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return format_line(text, logger=part, part=part)
    return json.dumps(found | {"part": part}, ensure_ascii=False)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    _uncaught.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        _log_uncaught(given.exc_type, given.exc_value, given.exc_traceback)


def _is_not_503(record: logging.LogRecord) -> bool:
    return getattr(record, "status_code", None) != 503


def _logger_settings(
    level: int, shared: list[Processor], ending: list[Processor]
) -> dict[str, Any]:
    """Return the loggers: ours with all lines, those of libraries with warnings only."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": ending,
            }
        },
        # A 503 is reported to its client, and its cause is logged where it occurs.
        "filters": {"not_503": {"()": lambda: _is_not_503}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": max(level, logging.WARNING), "handlers": ["stderr"]},
        "loggers": {
            **{
                name: {"level": level}
                for name in ("config", "agents", "supervisors", "routing", "workflows")
            },
            # A refused request concerns the client; only failures on our side are logged.
            "django.request": {"level": "ERROR", "filters": ["not_503"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # A failed login is one line of `config.login_limits`.
            "axes": {"level": "ERROR"},
            # They log every job received and done; with a sweep each second that is noise.
            "celery.worker.strategy": {"level": "WARNING"},
            # A job that returns to its queue is logged once per outage, by `config.job`.
            "celery.app.trace": {"level": "ERROR"},
            # An unreachable database is logged once, by the code that waits for it.
            "psycopg.pool": {"level": "ERROR"},
        },
    }
