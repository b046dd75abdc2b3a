"""Where requests may go: the rules alone, no network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.outbound import AllowList, OutboundRefused, Refusal, origin_of
from lti_tool.core.outbound.addresses import (
    Target,
    check_addresses,
    check_target,
    is_public,
    parse_target,
)

FORBIDDEN = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.178.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2a00:1450::5",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_inside_the_house_is_forbidden(address: str) -> None:
    with pytest.raises(OutboundRefused) as refused:
        check_addresses([address], internal=False)

    assert refused.value.reason is Refusal.ADDRESS


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ordinary_machine_may_be_reached(address: str) -> None:
    assert check_addresses([address], internal=False) == (ipaddress.ip_address(address),)


@pytest.mark.parametrize("forbidden", ["127.0.0.1", "::1", "10.0.0.1"])
def test_one_forbidden_address_among_good_ones_is_enough_to_refuse(forbidden: str) -> None:
    with pytest.raises(OutboundRefused):
        check_addresses(["93.184.216.34", "2a00:1450::5", forbidden], internal=False)


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(OutboundRefused):
        check_addresses([], internal=True)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.5", "fd12::1", "::ffff:10.0.0.1", "8.8.8.8"],
)
def test_a_host_the_operator_vouches_for_may_be_inside(address: str) -> None:
    assert check_addresses([address], internal=True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_even_a_vouched_host_is_never_link_local_or_a_group(address: str) -> None:
    with pytest.raises(OutboundRefused):
        check_addresses([address], internal=True)


@given(st.integers(0, 2**32 - 1))
def test_whatever_python_calls_private_is_never_public(number: int) -> None:
    address = ipaddress.IPv4Address(number)

    assert not is_public(address) or address.is_global


@pytest.mark.parametrize(
    "url",
    [
        "",
        "moodle.example",
        "//moodle.example/",
        "https://",
        "https:///path",
        "https://moodle.example\r\nX-Evil: 1/",
        "https://moodle.example/a\nb",
        "https://moodle.example/a b",
        "https://moodle\t.example/",
        "https://moodle.example\\@127.0.0.1/",
        "https://moodle.example/a\\b",
        "https://user@moodle.example/",
        "https://user:pass@moodle.example/",
        "https://@moodle.example/",
        "https://moodle.example:/",
        "https://moodle.example:99999/",
        "https://moodle.example:4x3/",
        "https://moodle.example./",
        "https://.moodle.example/",
        "https://moodle..example/",
        "https://-moodle.example/",
        "https://moodle%2eexample/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://1.2.3.4.5/",
        "https://①27.0.0.1/",
        "https://moodle。example/",
        "https://schüle.example/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[::1]x/",
        "https://[127.0.0.1]/",
        "https://a" + ".a" * 200 + "/",
        "https://moodle.example/" + "a" * 5000,
    ],
)
def test_an_odd_spelling_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused) as refused:
        parse_target(url)

    assert refused.value.reason in (Refusal.URL, Refusal.SCHEME)


@pytest.mark.parametrize(
    "url",
    [
        "gopher://moodle.example/",
        "file:///etc/passwd",
        "ftp://moodle.example/",
        "dict://a:11/",
        "data:,x",
    ],
)
def test_only_http_and_https_are_spoken(url: str) -> None:
    with pytest.raises(OutboundRefused) as refused:
        parse_target(url)

    assert refused.value.reason is Refusal.SCHEME


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Moodle.Example/mod?a=B", "https://moodle.example"),
        ("HTTPS://moodle.example:443/", "https://moodle.example"),
        ("https://moodle.example:8443/", "https://moodle.example:8443"),
        ("http://localhost:8091/x", "http://localhost:8091"),
        ("https://[2A00:1450:0::5]/", "https://[2a00:1450::5]"),
        ("https://xn--schle-kva.example/", "https://xn--schle-kva.example"),
    ],
)
def test_the_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://moodle.example{text}"):
        try:
            target = parse_target(url)
        except OutboundRefused:
            continue

        assert target.host
        assert target.host.isascii()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://moodle.example/", Refusal.SCHEME),
        ("https://moodle.example:8443/", Refusal.PORT),
        ("https://moodle.example:80/", Refusal.PORT),
        ("https://moodle.example:22/", Refusal.PORT),
        ("https://moodle.example:25/", Refusal.PORT),
        ("https://moodle.example:6379/", Refusal.PORT),
        ("http://internal.example:81/", Refusal.SCHEME),
        ("https://internal.example:8443/", Refusal.PORT),
        ("http://model.example/", Refusal.SCHEME),
        ("https://sub.internal.example:80/", Refusal.PORT),
    ],
)
def test_ports_and_http_need_the_operators_word(url: str, reason: Refusal) -> None:
    allowed = AllowList(["internal.example", "model.example:11434"])

    with pytest.raises(OutboundRefused) as refused:
        check_target(parse_target(url), allowed)

    assert refused.value.reason is reason


@pytest.mark.parametrize(
    "url",
    [
        "https://moodle.example/",
        "http://internal.example/",
        "https://INTERNAL.example/",
        "http://model.example:11434/api",
        "https://model.example:11434/api",
        "http://[::1]:8091/",
    ],
)
def test_what_the_operator_allows_is_allowed(url: str) -> None:
    allowed = AllowList(["Internal.example", "model.example:11434", "[::1]:8091"])

    check_target(parse_target(url), allowed)


@pytest.mark.parametrize(
    "entry",
    ["", "http://a.example", "a.example/x", "a b", "*.example", "user@a.example", "a.example:x"],
)
def test_a_mistyped_entry_stops_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        AllowList([entry])


def test_a_target_is_what_it_says() -> None:
    assert parse_target("https://a.example:8443/x") == Target("https", "a.example", 8443)
