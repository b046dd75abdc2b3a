"""What there is to say about a platform, and what to do: rules and words, for page and doctor.

Pure: facts and sentences, nothing here touches the world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lti_tool.core.speech import Speech
from lti_tool.operator.sentences import N_, Sentence, Translate, Value, say
from lti_tool.operator.words import STOPS, UNUSABLE, WORDS
from lti_tool.people.health import Errand
from lti_tool.people.models import PlatformState
from lti_tool.people.troubles import Trouble


@dataclass(frozen=True)
class Exchange:
    """What came of the last errands of one kind."""

    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""
    unusable: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the last one failed."""
        return self.failed_at is not None and (
            self.succeeded_at is None or self.failed_at > self.succeeded_at
        )

    @property
    def trouble(self) -> Trouble:
        try:
            return Trouble(self.error)
        except ValueError:  # a code of another version of the tool
            return Trouble.NO_ANSWER


@dataclass(frozen=True)
class KnownPlatform:
    """One registration. `key_opens` is False if our key for it cannot be read any more;
    `refusals` counts the launches refused in the last day, by reason."""

    name: str
    state: PlatformState
    key_opens: bool = True
    waiting_deployments: tuple[str, ...] = ()
    waiting_changes: int = 0
    last_launch: datetime | None = None
    last_score: datetime | None = None
    failed_scores: int = 0
    exchanges: Mapping[Errand, Exchange] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)

    def exchange(self, errand: Errand) -> Exchange:
        return self.exchanges.get(errand, Exchange())

    def refused(self, *reasons: str) -> int:
        return sum(self.refusals.get(reason, 0) for reason in reasons)


@dataclass(frozen=True)
class PlatformFinding:
    """Not `ok`: somebody has to do something."""

    ok: bool
    says: tuple[Sentence, ...]
    what_to_do: Sentence | None = None

    def told(self, speech: Speech, translate: Translate = N_) -> str:
        return " ".join(sentence.said(speech, translate) for sentence in self.says)

    def advice(self, speech: Speech, translate: Translate = N_) -> str:
        """Empty where nothing is to be done."""
        return self.what_to_do.said(speech, translate) if self.what_to_do else ""


def findings(known: KnownPlatform) -> list[PlatformFinding]:
    """All there is to say, in the order in which one would mend it."""
    return [
        _about_state(known),
        *_about_decisions(known),
        *_about_exchanges(known),
        *_about_unusable_keys(known),
        *_about_refusals(known),
        *_about_scores(known),
    ]


def _about_state(known: KnownPlatform) -> PlatformFinding:
    if known.state is PlatformState.WAITING:
        return _needs(
            N_("Neu verbunden und noch nicht freigegeben."),
            N_("Mit der Schule vergleichen; freigeben auf der Betriebsseite: gustav operator link"),
        )
    if known.state is PlatformState.PAUSED:
        return _informs(
            N_("Angehalten: niemand kommt von dort herein."),
            N_('Weiter geht es mit „Fortsetzen“, oder: gustav platform resume "%(name)s"'),
            name=known.name,
        )
    if known.last_launch is None:
        return _informs(N_("Aktiv; noch kam niemand von dort."))
    return _informs(
        N_("Aktiv; zuletzt kam jemand von dort: %(when)s."),
        when=known.last_launch,
    )


def _about_decisions(known: KnownPlatform) -> Iterator[PlatformFinding]:
    """What waits for a human, and a key that only a human can open."""
    if known.waiting_changes:
        yield _needs(
            N_("Die Plattform hat sich neu angemeldet; das wartet auf eine Entscheidung."),
            N_(
                "Auf der Betriebsseite vergleichen und entscheiden (gustav operator link),"
                " oder: gustav platform changes"
            ),
        )
    for deployment in known.waiting_deployments:
        yield _needs(
            N_("Aufrufe aus dem Deployment %(deployment)s warten auf Erlaubnis."),
            N_('„Zulassen“ drücken, oder: gustav platform allow "%(name)s" %(deployment)s'),
            name=known.name,
            deployment=deployment,
        )
    if not known.key_opens:
        yield _needs(
            N_("Unser Schlüssel für diese Plattform lässt sich nicht öffnen."),
            N_(
                "GUSTAV_SECRET_KEY auf den früheren Wert setzen, oder:"
                ' gustav platform rotate-key "%(name)s"'
            ),
            name=known.name,
        )


def _about_exchanges(known: KnownPlatform) -> Iterator[PlatformFinding]:
    """What we ask the platform for, and whether it comes."""
    for errand, what_stops in STOPS.items():
        exchange = known.exchange(errand)
        if exchange.fails and exchange.failed_at is not None:
            because, what_to_do = WORDS[exchange.trouble]
            says = (say(what_stops, when=exchange.failed_at), say(because))
            yield PlatformFinding(False, says, say(what_to_do))


def _about_unusable_keys(known: KnownPlatform) -> Iterator[PlatformFinding]:
    """Keys that may not verify a launch harm nobody, as long as others do."""
    unusable = known.exchange(Errand.KEYS).unusable
    if unusable:
        that = say(N_("In ihrem Schlüsselsatz sind Schlüssel, die wir nicht gelten lassen."))
        why = (say(UNUSABLE[fault]) for fault in unusable if fault in UNUSABLE)
        tell = N_("Der Verwaltung der Lernplattform sagen; ihre anderen Schlüssel gelten weiter.")
        yield PlatformFinding(True, (that, *why), say(tell))


def _about_refusals(known: KnownPlatform) -> Iterator[PlatformFinding]:
    """Launches refused in the last day. Anybody can send us a bad one, so most only inform."""
    ahead = known.refused("issued_in_future")
    if ahead:
        yield _needs(
            N_("Ihre Uhr geht vor. Deshalb abgewiesene Aufrufe am letzten Tag: %(count)s."),
            N_("Auf beiden Rechnern die Zeit abgleichen (NTP)."),
            count=ahead,
        )
    late = known.refused("issued_too_long_ago", "expired")
    if late:
        yield _informs(
            N_("Zu spät angekommene Aufrufe am letzten Tag: %(count)s."),
            N_("Meist wurde eine alte Seite neu geladen; sind es viele, geht eine Uhr falsch."),
            count=late,
        )
    unsigned = known.refused("signature_invalid", "key_unknown")
    if unsigned:
        yield _informs(
            N_("Nicht von ihr unterschriebene Aufrufe am letzten Tag: %(count)s."),
            N_("Ist die Plattform umgezogen, dann hilft „Adresse geändert“."),
            count=unsigned,
        )


def _about_scores(known: KnownPlatform) -> Iterator[PlatformFinding]:
    if known.failed_scores:
        yield _informs(
            N_("Nicht angekommene Noten: %(count)s; die Lehrkräfte sehen, welche."),
            count=known.failed_scores,
        )


def _needs(says: str, what_to_do: str, **values: Value) -> PlatformFinding:
    """Somebody has to do something."""
    return PlatformFinding(False, (say(says, **values),), say(what_to_do, **values))


def _informs(says: str, what_to_do: str = "", **values: Value) -> PlatformFinding:
    advice = say(what_to_do, **values) if what_to_do else None
    return PlatformFinding(True, (say(says, **values),), advice)
