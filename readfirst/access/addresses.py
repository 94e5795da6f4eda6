"""The addresses of clients: which belong to one network, and which are shared by many."""

from collections.abc import Callable, Iterable
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

#: A site, or a single machine, has so many bits of IPv6 to itself (RFC 6177, RFC 7934): whoever has
#: one address of it has them all.
SITE_BITS = 64
#: The flag of a route by a gateway, in the tables of Linux.
BY_GATEWAY = 0x2


def network_of(address: str) -> str:
    """The network of one site or machine that an address belongs to: of IPv6 that of 64 bits, and
    of IPv4 the address itself, also where it is written as IPv6. What is no address stays as it is.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if isinstance(parsed, IPv6Address) and not parsed.is_loopback:
        return str(ip_network((parsed, SITE_BITS), strict=False))
    return str(parsed)


@cache
def gateways() -> frozenset[str]:
    """The networks of this machine's gateways. All who come through one may have its address, as
    all visitors of a container have.

    Empty where the system has no such tables; Linux has.
    """
    v4 = gateways_of_ipv4(_read("/proc/net/route"))
    return v4 | gateways_of_ipv6(_read("/proc/net/ipv6_route"))


def shared_addresses(proxies: Iterable[str]) -> Callable[[str], bool]:
    """Return the rule that tells whether many clients may have an address: that of a proxy, by its
    address or network, or of a gateway of this machine.
    """
    networks = [ip_network(proxy, strict=False) for proxy in proxies]

    def is_shared(address: str) -> bool:
        if network_of(address) in gateways():
            return True
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in networks)

    return is_shared


def gateways_of_ipv4(table: str) -> frozenset[str]:
    """The gateways that `/proc/net/route` names: in hexadecimal, its bytes as the machine's."""
    rows = [line.split() for line in table.splitlines()[1:]]
    named = [row[2] for row in rows if len(row) > 3 and int(row[3], 16) & BY_GATEWAY]
    return frozenset(str(IPv4Address(bytes.fromhex(text)[::-1])) for text in named)


def gateways_of_ipv6(table: str) -> frozenset[str]:
    """The gateways that `/proc/net/ipv6_route` names, in hexadecimal."""
    rows = [line.split() for line in table.splitlines()]
    named = [row[4] for row in rows if len(row) > 8 and int(row[8], 16) & BY_GATEWAY]
    return frozenset(network_of(str(IPv6Address(bytes.fromhex(text)))) for text in named)


def _read(table: str) -> str:
    try:
        return Path(table).read_text()
    except OSError:
        return ""
