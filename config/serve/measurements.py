"""The directory into which all parts write their measurements for `/metrics`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings

from routing import instruments


def prepare_directory(data_dir: Path) -> None:
    """Make an empty directory and name it to the parts, if metrics are on.

    What an earlier run measured is deleted, as its processes are gone.
    """
    if not settings.METRICS:
        return
    directory = data_dir / "metrics"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    os.environ[instruments.DIRECTORY] = str(directory)
