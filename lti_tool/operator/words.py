"""What each code means, and what to do: the one place for page, doctor and command line."""

from __future__ import annotations

from lti_tool.operator.sentences import N_
from lti_tool.people.health import Errand
from lti_tool.people.troubles import Trouble

# What stops while an errand fails.
STOPS: dict[Errand, str] = {
    Errand.KEYS: N_(
        "Ihr Schlüsselsatz kam zuletzt nicht (%(when)s); ohne ihn kommt bald niemand mehr herein."
    ),
    Errand.TOKEN: N_(
        "Sie gab uns zuletzt kein Zugriffstoken (%(when)s); Noten und Kurslisten warten."
    ),
}

# What stands in the way, and what to do about it.
WORDS: dict[Trouble, tuple[str, str]] = {
    Trouble.NO_HOST: (
        N_("Den Namen ihres Rechners kennt hier niemand (DNS)."),
        N_("Die Adresse prüfen; auf dem Rechner von GUSTAV muss sich der Name auflösen lassen."),
    ),
    Trouble.NO_ANSWER: (
        N_("Sie antwortet nicht."),
        N_("Ist sie von hier aus erreichbar? Firewall und Proxy der Schule prüfen."),
    ),
    Trouble.CERTIFICATE: (
        N_("Ihrem Zertifikat ist nicht zu trauen."),
        N_("In der Plattform ein gültiges Zertifikat mit der ganzen Kette einrichten."),
    ),
    Trouble.INSIDE: (
        N_("Ihre Adresse liegt im inneren Netz, und dorthin gehen wir nicht ungefragt."),
        N_("Ihren Rechner bei GUSTAV_OUTBOUND_ALLOW eintragen und GUSTAV neu starten."),
    ),
    Trouble.REFUSED: (
        N_("Dorthin gehen wir nicht: kein https, ein ungewöhnlicher Port oder eine Umleitung."),
        N_("Die Adressen der Plattform prüfen; nach einem Umzug hilft „Adresse geändert“."),
    ),
    Trouble.BUSY: (
        N_("Sie ist überlastet oder wird gerade gewartet."),
        N_("Abwarten; wir versuchen es von selbst wieder."),
    ),
    Trouble.GARBAGE: (
        N_("Was sie antwortet, ist nicht zu gebrauchen."),
        N_("Antwortet dort wirklich die Lernplattform? Adresse und Proxy prüfen."),
    ),
    Trouble.NO_KEYS: (
        N_("Unter der angemeldeten Adresse liegt kein Schlüsselsatz."),
        N_("Die Adresse des Schlüsselsatzes mit der in der Plattform vergleichen."),
    ),
    Trouble.CLIENT: (
        N_("Sie erkennt unsere Unterschrift nicht an."),
        N_(
            "In der Plattform die Adresse unseres Schlüsselsatzes prüfen und auf beiden Rechnern"
            " die Zeit abgleichen (NTP)."
        ),
    ),
    Trouble.SCOPE: (
        N_("Der Dienst ist dort für GUSTAV nicht eingeschaltet."),
        N_("In Moodle beim Tool unter „Services“ Bewertungen und Namen einschalten."),
    ),
    Trouble.ADDRESS: (
        N_("Unter ihrer Token-Adresse antwortet nichts Brauchbares."),
        N_("Die Token-Adresse prüfen; nach einem Umzug hilft „Adresse geändert“."),
    ),
    Trouble.ANSWER: (
        N_("Das Zugriffstoken, das sie gibt, ist nicht zu gebrauchen."),
        N_("Das Protokoll der Plattform ansehen."),
    ),
}

# Why a key in a platform's key set may not verify a launch (launch.keysets).
UNUSABLE: dict[str, str] = {
    "no_kid": N_("Einer hat keinen Namen (kid)."),
    "kid_twice": N_("Zwei haben denselben Namen (kid)."),
    "not_rsa": N_("Einer ist kein RSA-Schlüssel."),
    "not_for_signatures": N_("Einer ist nicht zum Unterschreiben da."),
    "not_for_verifying": N_("Einer ist nicht zum Prüfen von Unterschriften da."),
    "not_rs256": N_("Einer ist für ein anderes Verfahren als RS256."),
    "private_part": N_("Einer zeigt seinen geheimen Teil und muss ersetzt werden."),
    "modulus": N_("Einer ist zu kurz oder zu lang."),
    "exponent": N_("Einer hat einen unsicheren Exponenten."),
}
