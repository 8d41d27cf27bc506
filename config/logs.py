"""Set up what the log says: one line for each thing that an operator needs to know, on stderr."""

from __future__ import annotations

import logging.config
from typing import Any

import structlog
from environs import ValidationError
from structlog.typing import Processor

FORMS = ("plain", "json")


def known_form(form: str) -> None:
    """Raise `ValidationError` unless the form of log lines is one that we can write."""
    if form not in FORMS:
        raise ValidationError(f"LOG_FORMAT is one of {', '.join(FORMS)}")


def configure(*, level: int, form: str) -> None:
    """Send structlog's events and the standard library's records to stderr, in one form."""
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
    if form == "json":
        ending += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        ending += [
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    logging.config.dictConfig(_tree(level, shared, ending))


def _is_not_503(record: logging.LogRecord) -> bool:
    return getattr(record, "status_code", None) != 503


def _tree(level: int, shared: list[Processor], ending: list[Processor]) -> dict[str, Any]:
    """Return the loggers: ours and warnings in full, the libraries' chatter not."""
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
        # Only `/healthz` answers so, and whoever asked it has been told.
        "filters": {"not_503": {"()": lambda: _is_not_503}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": max(level, logging.WARNING), "handlers": ["stderr"]},
        "loggers": {
            **{name: {"level": level} for name in ("config", "agents", "routing", "workflows")},
            # A refused request is the client's business: only what failed on our side is told.
            "django.request": {"level": "ERROR", "filters": ["not_503"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # A failed login is one line of `config.logins`.
            "axes": {"level": "ERROR"},
            # Every job received and done is a line; at a sweep a second that is noise.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
