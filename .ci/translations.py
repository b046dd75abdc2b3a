"""Whether every text of the pages is in every catalogue, translated, with the same placeholders.

Prints what is not and ends with 1. Part of `make check`. The practice LMS has its own dictionary.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

MAPPING = Path("config/babel.cfg")
CATALOGUES = "lti_tool/translations/*/LC_MESSAGES/messages.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}


def main() -> int:
    wanted = texts_of_the_pages()
    catalogues = sorted(Path().glob(CATALOGUES))
    problems = [] if catalogues else ["no catalogue at all"]
    problems += [
        f"{path}: {problem}" for path in catalogues for problem in problems_of(path, wanted)
    ]
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(wanted)} texts, {len(problems)} problems in their translations")
    return 1 if problems else 0


def texts_of_the_pages() -> dict[str, str]:
    """Each text, and the first place where it stands."""
    with MAPPING.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found: dict[str, str] = {}
    for name, line, message, *_ in extract_from_dir(".", methods, options, KEYWORDS):
        text = message if isinstance(message, str) else message[0]
        found.setdefault(text, f"{name}:{line}")
    return found


def problems_of(path: Path, wanted: dict[str, str]) -> Iterator[str]:
    with path.open("rb") as file:
        catalog: Catalog = read_po(file)
    known = {message_id(message): message for message in catalog if message.id}
    for text, place in wanted.items():
        message = known.get(text)
        if message is None:
            yield f"missing: {text!r} ({place})"
        elif not message.string or message.fuzzy:
            yield f"not translated: {text!r} ({place})"
        else:
            for error in message.check(catalog):
                yield f"{error}: {text!r} ({place})"
    yield from (f"used nowhere: {text!r}" for text in known.keys() - wanted.keys())


def message_id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


if __name__ == "__main__":
    sys.exit(main())
