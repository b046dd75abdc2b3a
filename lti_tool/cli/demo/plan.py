"""Where the demo runs and where its data lies; its settings follow from that."""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from lti_tool.cli.answers import CommandFailed
from lti_tool.people.services import PlatformSpec

HOST = "127.0.0.1"
CLIENT_ID = "practice-lms"
DEPLOYMENT_ID = "1"
PLATFORM_NAME = "Übungs-Lernplattform"
FEW_PUPILS = 4  # whom the guide speaks of


@dataclass(frozen=True)
class Plan:
    """`localhost` in the addresses: browsers keep `Secure` cookies there without TLS."""

    folder: Path
    port: int
    lms_port: int
    pupils: int = FEW_PUPILS

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def lms_url(self) -> str:
        return f"http://localhost:{self.lms_port}"

    @property
    def platform(self) -> PlatformSpec:
        """The practice LMS as an administrator would have typed it in."""
        return PlatformSpec(
            name=PLATFORM_NAME,
            issuer=self.lms_url,
            client_id=CLIENT_ID,
            auth_url=f"{self.lms_url}/auth",
            token_url=f"{self.lms_url}/token",
            jwks_url=f"{self.lms_url}/jwks",
            deployment_ids=(DEPLOYMENT_ID,),
        )


def environment_of(plan: Plan, database_url: str) -> dict[str, str]:
    """The settings of all parts, written as they are in production. The engine is left open."""
    return {
        "GUSTAV_BASE_URL": plan.base_url,
        "GUSTAV_SECRET_KEY_FILE": str(secret_in(plan.folder)),
        "GUSTAV_DATABASE_URL": database_url,
        "GUSTAV_FILES": str(plan.folder / "files"),
        "GUSTAV_OUTBOUND_ALLOW": f"localhost:{plan.lms_port}",
        "GUSTAV_SWEEP_EVERY": "PT1S",
        "GUSTAV_LOG_FORMAT": "text",
    }


def secret_in(folder: Path) -> Path:
    """The file with the secret key of this demo: made once, readable by nobody else."""
    path = folder / "secret-key"
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        fresh.replace(path)
    return path


def keep_ports(plan: Plan) -> None:
    """A folder stays with its ports: activities and sessions name them. Raises CommandFailed."""
    path = plan.folder / "ports.json"
    ours = {"port": plan.port, "lms_port": plan.lms_port}
    if not path.exists():
        path.write_text(json.dumps(ours), encoding="utf-8")
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept != ours:
        raise CommandFailed(
            f"Die Daten in {plan.folder} gehören zu den Ports {kept['port']} und"
            f" {kept['lms_port']}. Mit --data (make: DATA=…) einen anderen Ordner nehmen."
        )


def need_free_port(port: int, option: str) -> None:
    """Raises CommandFailed, before anything is started."""
    with socket.socket() as probe:
        # As the servers do it: a port that is only cooling down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandFailed(
                f"Port {port} lässt sich nicht öffnen ({error.strerror}). Abhilfe: --{option}"
                f" mit einem anderen (bei make: {option.upper().replace('-', '_')}=…)."
            ) from None


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
