"""The pages' words. German is the key; a test sees to it that every one of them has its English."""

LANGUAGES = ("de", "en")

ROLE_NAMES = {
    "teacher": "Lehrkraft",
    "assistant": "Lehrkraft ohne Bearbeitungsrecht",
    "pupil": "Schülerinnen und Schüler",
}

ENDPOINT_NAMES = {
    "all": "alle Dienste",
    "token": "Zugangsmarken",
    "scores": "Noten annehmen",
    "results": "Noten auslesen",
    "lineitems": "Notenspalten",
    "members": "Teilnehmerliste",
    "jwks": "Schlüsselverzeichnis",
}

MODE_NAMES = {
    "normal": "normal",
    "store_then_hang": "speichern, dann lange schweigen",
    "hang": "lange schweigen, nichts tun (503)",
    "slow": "langsam",
    "garbage": "Unsinn statt einer Antwort (200)",
    "400": "400 fehlerhafte Anfrage",
    "403": "403 verboten",
    "404": "404 nicht gefunden",
    "409": "409 Widerspruch zum Gespeicherten",
    "429": "429 zu viele Anfragen",
    "500": "500 Fehler im Server",
    "503": "503 außer Betrieb",
    "expired_token": "401 Zugangsmarke abgelaufen",
}

ENGLISH = {
    "Abbrechen": "Cancel",
    "Administration": "Administration",
    "Adresse des Werkzeugs": "Address of the tool",
    "Aktivieren": "Activate",
    "Aktivitäten bleiben stehen und lassen sich nicht mehr öffnen.": (
        "Activities stay and can no longer be opened."
    ),
    "Das ist keine Adresse eines Werkzeugs.": "This is no address of a tool.",
    "Das Werkzeug ist nicht in der Aktivitätsauswahl.": "The tool is not in the activity chooser.",
    "In der Aktivitätsauswahl anzeigen": "Show in activity chooser",
    "LTI Advantage hinzufügen": "Add LTI Advantage",
    "Nicht in der Auswahl": "Not in the chooser",
    "Nicht mehr in der Aktivitätsauswahl anzeigen": "No longer show in activity chooser",
    "Vorgemerkt: Das Werkzeug ist noch nicht aktiviert.": (
        "Pending: the tool has not been activated yet."
    ),
    "Werkzeug aktualisieren": "Update the tool",
    "Werkzeug hinzufügen": "Add a tool",
    "Werkzeug löschen": "Delete the tool",
    "Werkzeuge verwalten": "Manage tools",
    "{count} Aktivitäten wurden hinzugefügt.": "{count} activities were added.",
    "400 fehlerhafte Anfrage": "400 bad request",
    "401 Zugangsmarke abgelaufen": "401 access token expired",
    "403 verboten": "403 forbidden",
    "404 nicht gefunden": "404 not found",
    "409 Widerspruch zum Gespeicherten": "409 conflict with what is stored",
    "429 zu viele Anfragen": "429 too many requests",
    "500 Fehler im Server": "500 server error",
    "503 außer Betrieb": "503 out of service",
    "Abgabe ansehen": "See the submission",
    "Aktivität hinzufügen": "Add an activity",
    "Aktivität löschen": "Delete the activity",
    "Aktivitäten, Notenspalten und Bewertungen verschwinden mit ihm.": (
        "Activities, grade columns and grades disappear with it."
    ),
    "Alle als JSON": "All as JSON",
    "alle Dienste": "all services",
    "Alles wieder normal": "Everything back to normal",
    "angemeldet als": "logged in as",
    "Antwort": "Answer",
    "Antwort des Werkzeugs abgelehnt": "The tool’s answer was refused",
    "ausgeschrieben": "unenrolled",
    "ausgesetzt": "suspended",
    "Ausschreiben": "Unenrol",
    "Aussetzen": "Suspend",
    "Bewertungen": "Grades",
    "Bitte eine Zahl eingeben.": "Please enter a number.",
    "Das dürfen hier nur Lehrkräfte.": "Only teachers may do that here.",
    "Das Werkzeug erfährt davon erst, wenn es nach der Teilnehmerliste fragt.": (
        "The tool learns of it only when it asks for the list of members."
    ),
    "Das Werkzeug hat keine Aktivität beschrieben.": "The tool did not describe an activity.",
    "Der Höchstwert muss eine ganze Zahl von 1 bis 100 sein.": (
        "The maximum must be a whole number from 1 to 100."
    ),
    "Der Kurs „{title}“ wurde gelöscht.": "The course “{title}” was deleted.",
    "Der Sitzungsschlüssel stimmt nicht.": "The session key is wrong.",
    "Die Aktivität wurde gelöscht.": "The activity was deleted.",
    "Die Aktivität wurde hinzugefügt.": "The activity was added.",
    "Die Rücksprungadresse des Werkzeugs ist hier nicht eingetragen.": (
        "The tool’s redirect address is not on our list."
    ),
    "Diese Aktivität gibt es nicht (mehr).": "There is no such activity (any more).",
    "Diese Bewertung ist gesperrt.": "This grade is locked.",
    "Diese Notenspalte gibt es nicht (mehr).": "There is no such grade column (any more).",
    "Diese Person gehört nicht zu diesem Kurs.": "This person is not in this course.",
    "Diese Person gibt es hier nicht.": "There is no such person here.",
    "Diese Seite gibt es hier nicht.": "There is no such page here.",
    "Diesen Kurs gibt es hier nicht.": "There is no such course here.",
    "Ein Klick meldet Sie an. Zwei Personen gleichzeitig: die zweite in einem privaten Fenster,"
    " denn ein Werkzeug kann je Browser nur eine Person zulassen.": (
        "One click logs you in. To be two people at once, use a private window for the second: a"
        " tool may let in just one person per browser."
    ),
    "Ein neuer Schlüssel gilt sofort, der alte verschwindet.": (
        "A new key is valid at once, the old one disappears."
    ),
    "Ein Titel darf höchstens 255 Zeichen haben.": "A title may have 255 characters at most.",
    "Einen Augenblick …": "Just a moment …",
    "Einschalten": "Switch on",
    "Einschreiben": "Enrol",
    "Einschreibung": "Enrolment",
    "Empfangene Bewertungen": "Scores received",
    "Endgültig löschen": "Delete for good",
    "English": "Deutsch",
    "Entsperren": "Unlock",
    "Es wurde nichts hinzugefügt.": "Nothing was added.",
    "gesperrt": "locked",
    "Gesperrt": "Locked",
    "Hier ist noch kein Werkzeug angemeldet.": "No tool is registered here yet.",
    "Hier stehen deine Bewertungen, sobald es welche gibt.": (
        "Your grades will be here as soon as there are any."
    ),
    "Hier stehen die Aktivitäten des Kurses. Fügen Sie die erste hinzu.": (
        "The activities of the course will be here. Add the first one."
    ),
    "Hier stehen die Aktivitäten, sobald deine Lehrkraft welche hinzugefügt hat.": (
        "The activities will be here as soon as your teacher has added some."
    ),
    "Hier stehen die Bewertungen, die das Werkzeug geschickt hat, mit der Antwort darauf.": (
        "The scores that the tool sent will be here, and how they were answered."
    ),
    "Hier stehen die Bewertungen, sobald eine Aktivität mit Notenspalte da ist.": (
        "The grades will be here as soon as there is an activity with a grade column."
    ),
    "höchstens {points} Punkte": "{points} points at most",
    "In eigenem Fenster öffnen": "Open in a window of its own",
    "Kein Zugang": "No access",
    "keine Bewertung": "no grade",
    "Kommentar": "Comment",
    "Kopie": "copy",
    "Kopieren": "Copy",
    "Kurs": "Course",
    "Kurs kopieren": "Copy the course",
    "Kurs löschen": "Delete the course",
    "langsam": "slow",
    "lange schweigen, nichts tun (503)": "long silence, nothing done (503)",
    "Lassen Sie diese Lernplattform versagen und sehen Sie nach, was das Werkzeug daraus macht.": (
        "Make this platform fail and see what the tool makes of it."
    ),
    "Lehrkraft": "Teacher",
    "Lehrkraft ohne Bearbeitungsrecht": "Non-editing teacher",
    "Meine Bewertungen": "My grades",
    "mit Teilnehmern und ihren Bewertungen": "with its people and their grades",
    "Name": "Name",
    "Name der Kopie": "Name of the copy",
    "Namen": "Names",
    "Namen gehen zurzeit an das Werkzeug.": "Names go to the tool at present.",
    "Namen gehen zurzeit nicht an das Werkzeug.": "Names do not go to the tool at present.",
    "Namen weitergeben": "Share names",
    "Namen zurückhalten": "Keep names back",
    "Nicht gefunden": "Not found",
    "Nicht mehr überschreiben": "Stop overriding",
    "noch {times}-mal": "{times} more times",
    "Noch kein Werkzeug": "No tool yet",
    "noch keine Bewertung": "no grade yet",
    "normal": "normal",
    "Noten annehmen": "accepting scores",
    "Noten auslesen": "reading results",
    "Notenspalte und Bewertungen verschwinden mit ihr.": (
        "Its grade column and grades disappear with it."
    ),
    "Notenspalten": "grade columns",
    "Nur in kopierte Kurse wird eingeschrieben.": "Only copied courses take people in.",
    "Nur zum Ausprobieren, alle Personen sind erfunden.": (
        "For trying things out only; all people are invented."
    ),
    "ohne Notenspalte": "no grade column",
    "Person": "Person",
    "Person wechseln": "Change person",
    "Punkte": "Points",
    "Schlüssel": "Key",
    "Schlüssel wechseln": "Change the key",
    "Schlüsselverzeichnis": "key set",
    "Schüler/in einschreiben": "Enrol a pupil",
    "Schülerinnen und Schüler": "Pupils",
    "Sekunden": "Seconds",
    "Spalte entsperren": "Unlock column",
    "Spalte löschen": "Delete column",
    "Spalte sperren": "Lock column",
    "Speichern": "Save",
    "speichern, dann lange schweigen": "store, then long silence",
    "Sperren": "Lock",
    "Störung": "fault",
    "Störungen üben": "Practise faults",
    "Teilnehmerliste": "list of members",
    "Titel zu lang": "Title too long",
    "Titel fehlt": "Title missing",
    "Eine Aktivität braucht einen Titel.": "An activity needs a title.",
    "Ändern": "Change",
    "überschrieben": "overridden",
    "Übungs-LMS": "Practice LMS",
    "Ungültige Anfrage": "Invalid request",
    "Ungültige Punktzahl": "Invalid points",
    "Ungültiger Höchstwert": "Invalid maximum",
    "Unsinn statt einer Antwort (200)": "nonsense instead of an answer (200)",
    "Was soll versagen?": "What is to fail?",
    "Weiter": "Continue",
    "Wer möchten Sie sein?": "Who would you like to be?",
    "Wieder einschreiben": "Enrol again",
    "Wie oft? (leer: bis auf Weiteres)": "How often? (empty: until further notice)",
    "Wie?": "How?",
    "Zugangsmarken": "access tokens",
    "Zur Startseite": "To the start page",
    "Zurück zum Kurs": "Back to the course",
    "Zurzeit gestört": "Failing at present",
}


def translate(lang: str, german: str, **values: object) -> str:
    """What has no entry (a message of the tool, say) is shown as it is."""
    text = ENGLISH.get(german, german) if lang == "en" else german
    return text.format(**values) if values else text
