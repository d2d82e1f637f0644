"""Which IP addresses belong to the public internet."""

from __future__ import annotations

import ipaddress

__all__ = ["is_public"]

NAT64 = ipaddress.ip_network("64:ff9b::/96")
NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of Alibaba
        "168.63.129.16/32",  # the metadata service of Azure, under a public number
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "fec0::/10",
    )
]
"""What not every version of `ipaddress` knows as private or reserved."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Return whether an IP address, or the IPv4 address inside it, is of the public internet."""
    ip: Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner:
            return is_public(str(inner))
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in NOT_PUBLIC)
    return ip.is_global and not special
