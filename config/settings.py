"""The only settings module: the environment overrides, and a bare checkout runs."""

from __future__ import annotations

import logging

from environs import validate

from config import logs
from config.environment import (
    BASE_DIR,
    LOOPBACK,
    Network,
    broker_url,
    data_dir,
    data_dir_path,
    database,
    env,
    parse_networks,
    parse_optional_seconds,
    parse_origins,
    parse_rate_limit,
    parse_token,
    redis_url,
    secret_key,
    trusted_proxies,
)

# --- What this installation is -----------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
HTTPS = env.bool("HTTPS", False)
"""Whether users reach this server by HTTPS, through a proxy that sets X-Forwarded-Proto."""
TRUSTED_PROXIES: int | list[Network] = trusted_proxies("TRUSTED_PROXIES") or 0
"""The number or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted."""
# A command that finds no key creates no directory.
SECRET_KEY = secret_key(data_dir() if DEBUG else data_dir_path(), debug=DEBUG)
DATA_DIR = data_dir()
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
"""Older keys, which can still verify and decrypt what they signed and encrypted."""
REDIS_URL = redis_url(DATA_DIR)
DATABASES = {"default": database(env.str("DATABASE_URL", ""), DATA_DIR)}
# Requests from this machine are always allowed, as `make run` and health checks send them.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", []), "localhost", ".localhost", "127.0.0.1", "[::1]"]
if (_host := env.str("HOST", "")) not in ("", "0.0.0.0", "::"):  # noqa: S104 - not listened on
    ALLOWED_HOSTS.append(_host)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

# --- Cordboard's own -----------------------------------------------------------------------------

TASK_RETENTION_DAYS = env.int("TASK_RETENTION_DAYS", 30)
"""Days for which completed and canceled tasks, and events, stay readable."""
FIGURES_RETENTION_DAYS = env.int("FIGURES_RETENTION_DAYS", 400)
"""Days for which figures of the past, and the list of supervisors' acts, are kept."""
ASSIGNED_TASK_LIFETIME = parse_optional_seconds("ASSIGNED_TASK_LIFETIME")
"""Seconds after which an accepted task is deleted; None: never."""
RATE_LIMIT = parse_rate_limit("RATE_LIMIT")
"""The requests an account may send, and in how many seconds; None: no limit."""
CORS_ORIGINS = parse_origins("CORS_ORIGINS")
"""The origins whose pages may call the REST API from a browser."""
CALLBACK_ALLOW_PRIVATE: list[Network] = parse_networks("CALLBACK_ALLOW_PRIVATE")
"""The private networks that callbacks may be sent to."""
CALLBACK_RETRY_HOURS = env.int("CALLBACK_RETRY_HOURS", 24, validate=validate.Range(min=0))
"""How long a failing event callback is retried."""
CALLBACK_RETENTION_DAYS = env.int("CALLBACK_RETENTION_DAYS", 7, validate=validate.Range(min=1))
"""How long the records of callbacks are kept."""
SDK_SESSIONS_PER_WORKER = env.int("SDK_SESSIONS_PER_WORKER", 20)
"""The maximum number of SDK sessions per worker."""
SDK_SESSIONS_PER_ACCOUNT = env.int("SDK_SESSIONS_PER_ACCOUNT", 10_000)
"""The maximum number of SDK sessions per account."""
DESK_SOCKETS_PER_USER = env.int("DESK_SOCKETS_PER_USER", 20, validate=validate.Range(min=1))
"""The maximum number of desks (browser tabs) per user and web process."""
CONNECTIONS_PER_ADDRESS = env.int("CONNECTIONS_PER_ADDRESS", 256, validate=validate.Range(min=1))
"""The maximum number of HTTP connections per address and web process, without websockets."""
SOCKET_BACKLOG = env.int("SOCKET_BACKLOG", 1024 * 1024)
"""Bytes that a websocket may leave unread before it is closed."""
DRAIN_SECONDS = env.float("DRAIN_SECONDS", 10, validate=validate.Range(min=0))
"""Seconds in which a stopping web process answers open requests and gradually closes sockets."""
DRAIN_GRACE_SECONDS = env.float("DRAIN_GRACE_SECONDS", 0, validate=validate.Range(min=0))
"""Seconds before that in which it still accepts connections while `/readyz` answers 503."""
WEB_PROCESSES = env.int("WEB_PROCESSES", 1, validate=validate.Range(min=1, max=64))
"""The number of web processes behind the port of `manage.py serve`."""
SLOW_REQUEST_SECONDS = env.float("SLOW_REQUEST_SECONDS", 2, validate=validate.Range(min=0))
"""A slower request is logged as a warning; 0: none."""
SLOW_CYCLE_SECONDS = env.float("SLOW_CYCLE_SECONDS", 1, validate=validate.Range(min=0))
"""The same for a router cycle."""
OFFER_AT_CREATION = env.bool("OFFER_AT_CREATION", False)
"""Whether a task is offered in the transaction that creates it, where a worker is plainly free."""
LAG_SECONDS = env.float("LAG_SECONDS", 5, validate=validate.Range(min=1))
"""Work that is overdue for longer is logged as a warning, and `/healthz` fails."""
METRICS = env.bool("METRICS", False)
"""Whether `/metrics` answers."""
METRICS_TOKEN = parse_token("METRICS_TOKEN")
"""The bearer token with which every client may read them; empty: none."""
METRICS_ALLOW: list[Network] = parse_networks("METRICS_ALLOW", LOOPBACK)
"""The networks whose clients may read them without it."""
METRICS_PORT = env.int("METRICS_PORT", 0, validate=validate.Range(min=0, max=65_535))
"""A port of a web process that answers nothing but metrics, and alone does; 0: none."""
METRICS_MAX_QUEUES = env.int("METRICS_MAX_QUEUES", 200, validate=validate.Range(min=0, max=5_000))
"""The number of queues with metrics of their own; the others are added up."""
DELIVERY_INLINE = False
"""Whether events are published in the committing thread; tests use this to see them at once."""

# --- The application -----------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "agents",
    "supervisors",
    "routing",
    "workflows",
    "config.adminsite.CordboardAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "template_partials",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.add_permissions_policy",
    "config.cors.answer_cors",
    "config.middleware.add_content_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.activate_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Last, as it answers failed logins.
    "axes.middleware.AxesMiddleware",
]
PAGE_MIDDLEWARE = {
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.activate_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
}
"""What requests of the API are spared: it has neither sessions nor languages nor logins."""
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "django.templatetags.i18n",
                "config.templatetags.cached_texts",
                "config.templatetags.icons",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
# The largest REST body is a workflow document. A larger body is refused before it is read, by
# `config.patches.daphne_requests`.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024 + 64 * 1024

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static", ("handbook", BASE_DIR / "docs" / "images")]
STATIC_MANIFEST = env.bool("STATIC_MANIFEST", False)
"""Whether `collectstatic` has run: file names then contain a hash, and are cached for ever."""
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles") if STATIC_MANIFEST else None
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if STATIC_MANIFEST
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}

REST_FRAMEWORK = {
    # The API serves JSON to programs; the framework's browsable pages are off.
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "routing.api.exception_handler.handle_exception",
    "UNAUTHENTICATED_USER": None,
}

# --- People: login, sessions, what a browser may do --------------------------------------

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.patches.session_store.Backend",
]
SESSION_ENGINE = "config.patches.session_store"
PASSWORD_HASHERS = [
    "config.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = 10
AXES_HANDLER = "config.login_limits.Handler"
LOGIN_FAILURES_PER_ADDRESS = env.int(
    "LOGIN_FAILURES_PER_ADDRESS", 60, validate=validate.Range(min=1)
)
"""Failed logins per address in 15 minutes before it is locked out for the rest of them."""
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_CALLABLE = "config.views.refuse_locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
# Typing errors of one user must lock out neither a whole office nor that login everywhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]

# An account's token is shown once, in a message, which belongs in the session, not in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
# Scraped from within the network, past the proxy that has the certificate.
SECURE_REDIRECT_EXEMPT = [r"^metrics(/queues)?$"]
# Once any proxies are trusted, the header of other clients is dropped before Django sees it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS or TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 30 * 24 * 3600 if HTTPS else 0)
# The operator decides about other names of the domain (subdomains, preload lists).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
X_FRAME_OPTIONS = "DENY"

# --- Redis: jobs and sockets -------------------------------------------------------------

# A request must not wait for an unreachable Redis; beat's sweep replaces the lost wake-up.
REDIS_TIMEOUTS = {"socket_connect_timeout": 0.5, "socket_timeout": 3}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "config.patches.channel_layer.ChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **REDIS_TIMEOUTS}], "prefix": "cordboard"},
    }
}
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **REDIS_TIMEOUTS,
    # A runner that waits for jobs gets an answer every second; without one it reconnects.
    "health_check_interval": 3,
    "visibility_timeout": 300,
    # Publishing: one attempt, without waiting. Callers publish after their commit and only log
    # errors.
    "max_retries": 0,
}
CELERY_BEAT_SCHEDULER = "config.scheduler:TickingScheduler"
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
# Callbacks wait for slow receivers, so they run in their own process and delay no cycle.
CELERY_TASK_ROUTES = {"routing.jobs.call_*": {"queue": "callbacks"}}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONSUMER = "config.patches.celery_consumer:Consumer"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"

# --- What the log says -------------------------------------------------------------------

LOGGING_CONFIG = None
logs.configure(level=env.log_level("LOG_LEVEL", logging.INFO))
