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
from redis import Redis
from redis.exceptions import RedisError

QUEUE = "jobs"
Ring = Callable[[str, UUID], None]
LISTENING = 5.0  # seconds a worker waits for an answer of Redis
RINGING = 0.2  # seconds a page does: whoever hands in waits so long, and so do others behind them
UNHEARD = (RedisError, BrokerConnectionError)  # Redis did not take the message

log = structlog.get_logger(__name__)


def message(kind: str, job_id: UUID) -> dramatiq.Message[None]:
    """Ring for one job; `kind` is the name of its actor."""
    return dramatiq.Message(
        queue_name=QUEUE, actor_name=kind, args=(str(job_id),), kwargs={}, options={}
    )


def broker(redis_url: SecretStr, patience: float = LISTENING) -> RedisBroker:
    """Redis as broker, asked once and waited for `patience` seconds. A worker that dies is noticed
    in seconds, not in Dramatiq's minutes."""
    # Beside a `url` the broker drops all parameters of the connection.
    client = Redis.from_url(
        redis_url.get_secret_value(),
        socket_timeout=patience,
        socket_connect_timeout=min(patience, 0.5),
        retry=None,
    )
    return RedisBroker(  # type: ignore[no-untyped-call]  # Dramatiq leaves it untyped
        client=client, middleware=[], maintenance_chance=100_000, heartbeat_timeout=20_000
    )


def ringer(redis_url: SecretStr | None) -> Ring | None:
    """How the web process rings; without Redis it does not, and the sweep finds the row."""
    if redis_url is None:
        return None
    redis = broker(redis_url, patience=RINGING)
    redis.declare_queue(QUEUE)

    def ring(kind: str, job_id: UUID) -> None:
        try:
            redis.enqueue(message(kind, job_id))
        except UNHEARD:
            # The row is written; a worker's sweep finds it within seconds.
            log.warning("bell is silent", job=job_id)

    return ring
