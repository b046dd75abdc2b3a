"""Where requests may go: the pure rules about addresses. Nothing here touches the network.

Guards against server-side request forgery: a URL that came from outside must not lead us to a
machine inside the house, however it is spelled.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from lti_tool.core.outbound.errors import OutboundRefused, Refusal

Address = IPv4Address | IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_URL = 4096

_VISIBLE_ASCII = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*"
)
_BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\](:\d+)?")
_LOOKS_LIKE_A_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")

# `is_global` differs between patch releases of Python, so what matters is also written down here.
_NEVER_PUBLIC_V4 = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; cloud machines keep their secrets at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NEVER_PUBLIC_V6 = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, with Teredo (an IPv4 address in disguise)
        "2001:db8::/32",
        "2002::/16",  # 6to4, another disguise
        "3fff::/20",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """The machine a URL names: scheme, host in lower case (IPv6 without brackets), port."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """`https://host`, with the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


def parse_target(url: str) -> Target:
    """Read a URL strictly. Raises OutboundRefused where two readers could differ."""
    parts = _split(url)
    if parts.scheme not in DEFAULT_PORTS:
        raise OutboundRefused(Refusal.SCHEME)
    if any(sign in parts.netloc for sign in "@%") or parts.netloc.endswith(":"):
        raise OutboundRefused(Refusal.URL)
    try:
        port = parts.port
    except ValueError:
        raise OutboundRefused(Refusal.URL) from None
    if port == 0:
        raise OutboundRefused(Refusal.PORT)
    return Target(parts.scheme, _host(parts), port or DEFAULT_PORTS[parts.scheme])


@lru_cache(maxsize=256)  # asked for each answer, of few platforms
def origin_of(url: str) -> str:
    """The origin of a URL (RFC 6454), e.g. `https://moodle.example`. Raises OutboundRefused."""
    return parse_target(url).origin


def literal_address(host: str) -> Address | None:
    """The address, if the host is one and not a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class AllowList:
    """Hosts that the operator vouches for: they may be inside the house, and may speak http.

    An entry is `host` (ports 80 and 443) or `host:port`. Raises ValueError for anything else.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._allowed = frozenset(pair for entry in entries for pair in _host_and_ports(entry))

    def covers(self, host: str, port: int) -> bool:
        return (host, port) in self._allowed


def check_target(target: Target, allowed: AllowList) -> None:
    """Raise OutboundRefused unless scheme and port are fit for this host."""
    if allowed.covers(target.host, target.port):
        return
    if target.scheme != "https":
        raise OutboundRefused(Refusal.SCHEME)
    if target.port != DEFAULT_PORTS["https"]:
        raise OutboundRefused(Refusal.PORT)


def check_addresses(answers: Iterable[str], *, internal: bool) -> tuple[Address, ...]:
    """All addresses that a name has. Raises OutboundRefused if even one of them is forbidden.

    `internal`: the host is on the allow-list and may be a machine of the house.
    """
    addresses = tuple(ipaddress.ip_address(answer) for answer in answers)
    fit = [is_public(address) or (internal and _is_machine(address)) for address in addresses]
    if not addresses or not all(fit):
        raise OutboundRefused(Refusal.ADDRESS)
    return addresses


def is_public(address: Address) -> bool:
    """Whether it is an ordinary machine on the internet, under an address without a disguise."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NEVER_PUBLIC_V4)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.scope_id is not None or address not in _GLOBAL_UNICAST_V6:
        return False
    return address.is_global and not any(address in network for network in _NEVER_PUBLIC_V6)


def _is_machine(address: Address) -> bool:
    """Whether it can be one machine of the house: not link-local, not a group, not "any"."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return _is_machine(address.ipv4_mapped)
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return not special and (not address.is_reserved or address.is_loopback)


def _split(url: str) -> SplitResult:
    """Cut the URL up, once it is sure that nothing in it would be silently tidied away."""
    if len(url) > LONGEST_URL or not _VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        raise OutboundRefused(Refusal.URL)
    try:
        return urlsplit(url)
    except ValueError:
        raise OutboundRefused(Refusal.URL) from None


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        if _BRACKETED.fullmatch(parts.netloc):
            return ipaddress.IPv6Address(host).compressed
        if _LOOKS_LIKE_A_NUMBER.fullmatch(host):
            return str(IPv4Address(host))
    except ValueError:
        raise OutboundRefused(Refusal.URL) from None
    if not _HOST_NAME.fullmatch(host):
        raise OutboundRefused(Refusal.URL)
    return host


def _host_and_ports(entry: str) -> list[tuple[str, int]]:
    try:
        target = parse_target(f"http://{entry}")
        parts = urlsplit(f"//{entry}")
    except OutboundRefused:
        raise ValueError(f"not a host or host:port: {entry!r}") from None
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f"not a host or host:port: {entry!r}")
    ports = DEFAULT_PORTS.values() if parts.port is None else (target.port,)
    return [(target.host, port) for port in ports]
