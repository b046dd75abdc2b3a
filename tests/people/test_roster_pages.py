"""Which page of a roster comes next, whatever a platform does to its Link header (ATK-112)."""

from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.outbound import OutboundGarbage, OutboundRefused
from lti_tool.people.roster_pages import Pager, PageRead, next_page, says_next

HERE = "https://moodle.example/a/Members?x=1"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ('<https://moodle.example/A?p=B>; rel="next"', "https://moodle.example/A?p=B"),
        ("<https://moodle.example/A>;rel=next", "https://moodle.example/A"),
        ('<https://moodle.example/A>; title="x, y"; REL="last Next"', "https://moodle.example/A"),
        ('<https://moodle.example/1>; rel="prev", <https://moodle.example/3>; rel="next"',
         "https://moodle.example/3"),
        ('<?page=2>; rel="next"', "https://moodle.example/a/Members?page=2"),
        ('<https://moodle.example/A>; rel="prev"', None),
        ('<https://moodle.example/A>; rel="nextish"', None),
        ("", None),
        ("nonsense", None),
    ],
)  # fmt: skip
def test_the_next_page_is_found_in_the_link_header(link: str, url: str | None) -> None:
    assert next_page(link, HERE) == url


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "http://moodle.example/", "//evil.example/", "https://u@moodle.example/",
     "https://moodle.example:8443/", "https://[x/", "javascript:x"],
)  # fmt: skip
def test_a_next_page_elsewhere_is_refused(target: str) -> None:
    with pytest.raises(OutboundRefused):
        next_page(f'<{target}>; rel="next"', HERE)


RIGHT = '<{}>; rel="next"'
CURLY = "<{}>; rel=\u201dnext\u201d"
MOJIBAKE = CURLY.encode().decode("latin-1")
BAD_QUOTES = [CURLY, MOJIBAKE, "<{}>; rel='next'", "<{}>; rel=&quot;next&quot;"]


@pytest.mark.parametrize("style", BAD_QUOTES)
def test_what_a_person_reads_as_next_is_taken_as_a_wish_but_not_as_an_address(style: str) -> None:
    link = style.format("https://moodle.example/A?limit=2&amp;from=2")

    assert next_page(link, HERE) is None
    assert says_next(link)


@pytest.mark.parametrize(
    "link", ["", "nonsense", '<x>; rel="prev"', '<x>; rel="nextish"', "<next>; rel=prev"]
)
def test_what_does_not_say_next_is_no_wish(link: str) -> None:
    assert not says_next(link)


def test_an_escaped_address_is_not_followed_though_its_quotes_are_right() -> None:
    link = '<https://moodle.example/A?limit=2&amp;from=2>; rel="next"'

    assert next_page(link, HERE) is None
    assert says_next(link)


@dataclass
class Platform:
    """Gives out members in pages of at most `most`, whatever is asked, and writes its links in
    this style; or forgets where to go on from."""

    members: list[int]
    most: int
    style: str
    escaped: bool = False
    forgetful: bool = False
    last_says_next: bool = False

    def answer(self, url: str) -> tuple[list[int], str]:
        asked = {key: int(value[0]) for key, value in parse_qs(urlsplit(url).query).items()}
        start = 0 if self.forgetful else asked.get("from", 0)
        limit = min(asked["limit"], self.most)
        link = f"{HERE}&limit={limit}&from={start + limit}"
        more = start + limit < len(self.members) or self.last_says_next
        header = self.style.format(escape(link) if self.escaped else link) if more else ""
        return self.members[start : start + limit], header


def read(platform: Platform) -> list[int]:
    """All that comes, in order. Fails when it does not end."""
    pager, got = Pager(HERE), []
    url: str | None = pager.first
    for _ in range(1000):
        if url is None:
            return got
        assert urlsplit(url)[:3] == urlsplit(HERE)[:3]
        entries, link = platform.answer(url)
        new = [member for member in entries if member not in got]
        got += new
        url = pager.after(PageRead(url, link, len(entries), len(new)))
    raise AssertionError("endless")


@given(
    count=st.integers(0, 60),
    most=st.integers(1, 250),
    style=st.sampled_from([RIGHT, *BAD_QUOTES]),
    escaped=st.booleans(),
    last_says_next=st.booleans(),
)
def test_everybody_comes_once_and_in_order_however_the_links_are_written(
    count: int, most: int, style: str, escaped: bool, last_says_next: bool
) -> None:
    honest = style == RIGHT and not escaped
    people = list(range(count))

    # An honest link that never ends is the client's to refuse, after so many pages.
    platform = Platform(people, most, style, escaped, last_says_next=last_says_next and not honest)

    assert read(platform) == people


@given(
    count=st.integers(2, 60),
    most=st.integers(1, 30),
    style=st.sampled_from(BAD_QUOTES),
)
def test_a_platform_that_forgets_where_to_go_on_never_passes_for_a_whole_list(
    count: int, most: int, style: str
) -> None:
    platform = Platform(list(range(count)), most, style, forgetful=True)

    if most >= count:
        assert read(platform) == platform.members
    else:
        with pytest.raises(OutboundGarbage):
            read(platform)


def test_without_a_link_one_full_page_is_all() -> None:
    """A platform that knows no limit sends everybody at once, maybe just as many as were asked."""
    pager = Pager(HERE)

    assert pager.after(PageRead(pager.first, "", 200, 200)) is None


def test_by_hand_a_full_page_is_not_the_last_even_without_a_link() -> None:
    pager = Pager(HERE)
    second = pager.after(PageRead(pager.first, CURLY.format("x"), 200, 200))
    assert second == f"{HERE}&limit=200&from=200"

    third = pager.after(PageRead(second, "", 200, 200))

    assert third == f"{HERE}&limit=200&from=400"
    assert pager.after(PageRead(third, "", 0, 0)) is None
