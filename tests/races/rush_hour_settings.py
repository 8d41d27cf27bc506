"""The settings of a rush hour: PostgreSQL, and wakes and events through a real Redis."""

from __future__ import annotations

import os

from config.environment import broker_url
from tests.races.settings import *  # noqa: F403

REDIS_URL = os.environ["RACES_REDIS_URL"]
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_TASK_ALWAYS_EAGER = False
DELIVERY_INLINE = False
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL}], "prefix": "cordboard"},
    }
}
