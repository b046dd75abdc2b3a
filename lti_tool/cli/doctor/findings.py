"""What a check says, and the rules by which it says so. Nothing here touches the world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from lti_tool.core.speech import Speech
from lti_tool.operator.findings import KnownPlatform, findings

PATIENCE_WITH_WORKERS = timedelta(seconds=60)
COOKIE_WORDS = ("HttpOnly", "Secure", "SameSite=None", "Partitioned")
CLOCKS_MAY_DIFFER = timedelta(seconds=5)  # Moodle refuses what is signed in its future


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `what_to_do` is empty where nothing is to be done."""

    about: str
    ok: bool
    says: str
    what_to_do: str = ""


@dataclass(frozen=True)
class Queue:
    """How long the job that is first in line has been ready, and when one was last finished."""

    waiting_for: timedelta | None
    last_finished: datetime | None
    given_up: int
    worker_seen: datetime | None


@dataclass(frozen=True)
class RoleRights:
    """What the role may do that web and worker are connected as."""

    name: str
    superuser: bool
    bypasses_policies: bool
    owns_tables: bool


def about_address(base_url: str, cookie: str | None) -> Finding:
    """Whether sessions can work there. `cookie`: a cookie as it arrived by that address, like all
    of ours; None where nobody answered. A proxy that drops one word of it locks everybody out."""
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not _on_this_machine(parts.hostname or ""):
        says = f"{base_url} ist ohne https: Browser verwerfen dort unsere Cookies."
        return Finding("address", False, says, "GUSTAV_BASE_URL auf https umstellen.")
    if cookie is None:
        says = f"{base_url} antwortet von hier aus nicht; die Cookies sind ungeprüft."
        return Finding("address", True, says)
    told = {word.strip().lower() for word in cookie.split(";")}
    missing = [word for word in COOKIE_WORDS if word.lower() not in told]
    if missing:
        says = f"Unter {base_url} fehlt an unseren Cookies: {', '.join(missing)}."
        return Finding("address", False, says, "Der Proxy davor darf Set-Cookie nicht ändern.")
    return Finding("address", True, f"Unter {base_url} kommen unsere Cookies unversehrt an.")


def about_events(status: int | None) -> Finding:
    """Events only make pages faster, so what is wrong with them is told and waits. `status`: of the
    live process's probe by the public address; None where nobody answered."""
    if status is None:
        says = "Ob Neuigkeiten sofort auf die Seiten kommen, ist von hier aus ungeprüft."
        return Finding("events", True, says)
    if status == 200:
        return Finding("events", True, "Neuigkeiten kommen sofort auf die wartenden Seiten.")
    if status == 503:
        says = (
            "gustav live läuft, hört aber die Datenbank nicht; wartende Seiten fragen selbst nach."
        )
        what = "Es braucht PostgreSQL selbst, oder PgBouncer mit pool_mode=session."
        return Finding("events", False, says, what)
    says = "gustav live antwortet nicht; wartende Seiten fragen alle paar Sekunden selbst nach."
    what = "gustav live starten; der Proxy muss /s/…/live/… und /health/events dorthin leiten."
    return Finding("events", False, says, what)


def _on_this_machine(host: str) -> bool:
    """Where browsers take `Secure` cookies over http, too."""
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.")


def about_role(role: RoleRights) -> Finding:
    """Row policies protect pupils from one another only if the role is bound by them."""
    wrong = [
        words
        for is_so, words in (
            (role.superuser, "ist Superuser"),
            (role.bypasses_policies, "darf Zeilenregeln umgehen"),
            (role.owns_tables, "besitzt Tabellen"),
        )
        if is_so
    ]
    if not wrong:
        return Finding("role", True, f"Die Datenbankrolle {role.name} hat nur die nötigen Rechte.")
    return Finding(
        "role",
        False,
        f"Die Datenbankrolle {role.name} {' und '.join(wrong)}.",
        "GUSTAV_DATABASE_URL muss die Rolle gustav_app nennen, der nichts gehört.",
    )


def about_migrations(missing: list[str]) -> Finding:
    if not missing:
        return Finding("migrations", True, "Die Tabellen sind auf dem Stand dieses Programms.")
    says = f"Den Tabellen fehlen {len(missing)} Änderungen, zuerst {missing[0]}."
    return Finding("migrations", False, says, "Abhilfe: gustav migrate")


def about_worker(queue: Queue, now: datetime) -> Finding:
    """Each worker gives a sign of life with every sweep, and takes what is ready within seconds."""
    start = "Den Worker starten: gustav worker (mit Compose: docker compose up -d worker)"
    if queue.worker_seen is None or now - queue.worker_seen > PATIENCE_WITH_WORKERS:
        seen = "heute war noch keiner da" if queue.worker_seen is None else "der letzte war"
        when = "" if queue.worker_seen is None else f" {_ago(queue.worker_seen, now)} da"
        return Finding("worker", False, f"Kein Worker: {seen}{when}.", start)
    if queue.waiting_for is not None and queue.waiting_for > PATIENCE_WITH_WORKERS:
        minutes = max(1, round(queue.waiting_for.total_seconds() / 60))
        says = f"Ein Worker läuft, aber seit {minutes} min nimmt niemand die wartende Arbeit auf."
        return Finding("worker", False, says, "Im Protokoll des Workers nachsehen; neu starten.")
    if queue.last_finished is None:
        return Finding("worker", True, "Ein Worker läuft; bisher war keine Arbeit da.")
    ago = _ago(queue.last_finished, now)
    return Finding("worker", True, f"Ein Worker läuft; die letzte Arbeit wurde {ago} fertig.")


def about_given_up(queue: Queue) -> Finding:
    """Informative: each of these is visible to its teacher already."""
    if not queue.given_up:
        return Finding("jobs", True, "Kein Auftrag ist gescheitert.")
    says = f"{queue.given_up} Aufträge sind gescheitert; die Lehrkräfte sehen, welche."
    return Finding("jobs", True, says, "Mehr dazu: gustav jobs")


def about_invariants() -> Finding:
    """The doctor looks at what is running; what is kept takes longer to go through."""
    says = "Ob alle Abgaben, Noten und Fotos zueinander passen, prüft gustav check-invariants."
    return Finding("invariants", True, says)


def about_clock(ours: datetime, theirs: datetime) -> Finding:
    """`theirs` is the database's time, read between two looks at our own clock."""
    apart = abs(ours - theirs)
    if apart <= CLOCKS_MAY_DIFFER:
        return Finding("clock", True, "Die Uhr geht wie die der Datenbank.")
    says = (
        f"Die Uhren hier und in der Datenbank gehen {round(apart.total_seconds())} s auseinander."
    )
    return Finding("clock", False, says, "Auf beiden Rechnern die Zeit abgleichen (NTP).")


def about_platforms(platforms: list[KnownPlatform], now: datetime) -> list[Finding]:
    """At least one finding for each, in the same sentences as on the operator's pages."""
    if not platforms:
        says = "Noch ist keine Lernplattform angemeldet."
        return [Finding("platforms", False, says, "Abhilfe: gustav invite, siehe moodle.md")]
    speech = Speech("de", now)
    return [
        Finding("platforms", found.ok, f"„{known.name}“: {found.told(speech)}", advice)
        for known in platforms
        for found in findings(known)
        for advice in [found.advice(speech)]
    ]


def _ago(then: datetime, now: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 1:
        return "gerade eben"
    if minutes < 120:
        return f"vor {minutes} min"
    return f"vor {minutes // 60} h" if minutes < 48 * 60 else f"vor {minutes // (24 * 60)} Tagen"
