"""The tests' settings over the PostgreSQL that `RACES_DATABASE_URL` names."""

from __future__ import annotations

import os
from pathlib import Path

from config.environment import database
from tests.settings import *  # noqa: F403

DATABASES = {"default": database(os.environ["RACES_DATABASE_URL"], Path())}
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = 40
DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("RACES_TEMPLATE")}
