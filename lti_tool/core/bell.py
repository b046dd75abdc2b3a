"""The doorbell: a message with a job's id, for workers who listen at Redis. Nothing else in it.

The web process rings by an actor's name and never loads the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError
from pydantic import SecretStr
from redis.exceptions import RedisError

QUEUE = "jobs"
Ring = Callable[[str, UUID], None]

log = structlog.get_logger(__name__)


def message(kind: str, job_id: UUID) -> dramatiq.Message[None]:
    """Ring for one job; `kind` is the name of its actor."""
    return dramatiq.Message(
        queue_name=QUEUE, actor_name=kind, args=(str(job_id),), kwargs={}, options={}
    )


def broker(redis_url: SecretStr) -> RedisBroker:
    """Redis as broker. A worker that dies is noticed in seconds, not in Dramatiq's minutes."""
    return RedisBroker(  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        url=redis_url.get_secret_value(),
        middleware=[],
        maintenance_chance=100_000,
        heartbeat_timeout=20_000,
        socket_timeout=5,
        socket_connect_timeout=0.5,
    )


def ringer(redis_url: SecretStr | None) -> Ring | None:
    """How the web process rings; without Redis it does not, and the sweep finds the row."""
    if redis_url is None:
        return None
    redis = broker(redis_url)
    redis.declare_queue(QUEUE)

    def ring(kind: str, job_id: UUID) -> None:
        try:
            redis.enqueue(message(kind, job_id))
        except (RedisError, BrokerConnectionError):
            # The row is written; a worker's sweep finds it within seconds.
            log.warning("bell is silent", job=job_id)

    return ring
