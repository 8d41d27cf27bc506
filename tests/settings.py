"""The settings that tests run with: the real ones, with nothing outside the process."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Variables of the developer's own installation must not affect the tests.
for _name in (
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "HTTPS",
    "LOG_FORMAT",
    "ALLOWED_HOSTS",
    "RATE_LIMIT",
    "TRUSTED_PROXIES",
    "CORS_ORIGINS",
    "CALLBACK_ALLOW_PRIVATE",
    "CALLBACK_RETRY_HOURS",
    "CALLBACK_RETENTION_DAYS",
    "METRICS",
    "METRICS_TOKEN",
    "METRICS_ALLOW",
    "METRICS_MAX_QUEUES",
    "OFFER_AT_CREATION",
):
    os.environ.pop(_name, None)
os.environ["SECRET_KEY"] = "made-up-for-the-tests-and-long-enough-not-to-be-called-weak"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="cordboard-tests-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

from config.settings import *  # noqa: E402, F403
from config.settings import DATA_DIR, DATABASES  # noqa: E402

# A file, not memory: threads of a test then see each other's commits as in production.
DATABASES["default"]["TEST"] = {"NAME": Path(DATA_DIR) / "test.sqlite3"}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
REDIS_URL = ""
# Off by default; all laws must hold with it.
OFFER_AT_CREATION = True
DELIVERY_INLINE = True
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The lock needs a request, which `client.login` has none of; its own test switches it on.
AXES_ENABLED = False
# Or else each client that a test makes would search all static files for its first request.
WHITENOISE_AUTOREFRESH = True
