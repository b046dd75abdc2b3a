"""Where the next page of a roster is (NRPS 2.0, 2.4.2), also behind a Link header gone wrong. Pure.

Moodle writes this header rightly for rosters and wrongly for line items: with curly quotes, and
with `&amp;` inside the address. Followed as it stands, such a link leads to the first page again
and again, or nowhere at all.
"""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from lti_tool.core.outbound import OutboundGarbage, OutboundRefused, Refusal, origin_of
from lti_tool.people.service_calls import with_query

PAGE_SIZE = 200

_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)
# What a person would read as rel=next, whatever the quotes are and whatever encoding broke them.
_SAYS_NEXT = re.compile(r"\brel\s*=(?:\W|&\w+;)*next\b", re.IGNORECASE | re.ASCII)
_ESCAPED = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)


@dataclass(frozen=True)
class PageRead:
    """A page as it came: its own address, its Link header, how many entries it had, and how many
    of them (`new`) no page before it had brought."""

    url: str
    link: str
    entries: int
    new: int


class Pager:
    """Says for each page read which one comes next. Forgets nothing and asks nobody."""

    def __init__(self, memberships_url: str) -> None:
        self._url = memberships_url
        self._read = 0
        self._by_hand = False

    @property
    def first(self) -> str:
        return with_query(self._url, limit=str(PAGE_SIZE))

    def after(self, page: PageRead) -> str | None:
        """The address of the page after this one; None if it was the last.

        Raises:
            OutboundRefused: it leads away from the platform.
            OutboundGarbage: the pages turn in a circle, so that nobody can tell whether all members
                have come.
        """
        self._read += page.entries
        if not self._by_hand and (url := next_page(page.link, page.url)):
            return url
        more = says_next(page.link) or (self._by_hand and page.entries >= PAGE_SIZE)
        if not more or page.entries == 0:
            return None
        if page.new == 0:
            raise OutboundGarbage("roster pages repeat themselves")
        self._by_hand = True
        return with_query(self._url, limit=str(PAGE_SIZE), **{"from": str(self._read)})


def next_page(link: str, current: str) -> str | None:
    """The address in a Link header (RFC 8288) with rel=next, letter for letter; None without one
    that can be trusted.

    Raises OutboundRefused if it leads away from the origin of the current page.
    """
    for found in _LINK.finditer(link):
        rel = _REL.search(found[2])
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            url = _same_origin(found[1], current)
            return None if _ESCAPED.search(url) else url
    return None


def says_next(link: str) -> bool:
    """Whether the header means to name a next page, however badly it is written."""
    return bool(_SAYS_NEXT.search(link))


def _same_origin(link: str, current: str) -> str:
    try:
        url: str = urljoin(current, link)
    except ValueError:
        raise OutboundRefused(Refusal.URL) from None
    if origin_of(url) != origin_of(current):
        raise OutboundRefused(Refusal.ORIGIN)
    return url
