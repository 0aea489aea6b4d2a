"""Where a post may go: names are resolved once, and every address of a name is judged.

A job's author chooses the URL, this machine makes the connection: without a check a job could
reach the cloud's metadata service or the services of the local network.
"""

from __future__ import annotations

import ipaddress
import socket

from gpuqueue.config.settings import HttpPostSettings
from gpuqueue.errors import InvalidJob, TransientError

#: IPv6 addresses that carry an IPv4 address: it says where the packets go (RFC 6052).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Tunnels that lead to IPv4 addresses of anybody's choice: 6to4 and Teredo.
TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))


def resolve(host: str, port: int, settings: HttpPostSettings) -> list[str]:
    """The addresses of `host`, in the order to try them.

    How long a look-up may take, the machine's resolver says (often 10 s).
    Raises InvalidJob if one of them is neither public nor allowed, TransientError if the name
    cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"cannot resolve '{host}': {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _judge(host, address, settings)
    return addresses


def judge_literal(host: str, settings: HttpPostSettings) -> None:
    """Raise InvalidJob if `host` is written as an address that is neither public nor allowed."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    _judge(host, host, settings)


def _judge(host: str, address: str, settings: HttpPostSettings) -> None:
    if settings.allow_private_networks or is_public(address):
        return
    if not any(_covers(allowed, host, address) for allowed in settings.allow_hosts):
        raise InvalidJob(
            f"'{host}' is the address {address}, which is not public; "
            "allow_host or allow_private_networks in block http_post would permit it"
        )


def _covers(allowed: str, host: str, address: str) -> bool:
    """Whether `allowed` names this host, or a network that its address lies in."""
    if allowed == host.lower():
        return True
    try:
        network = ipaddress.ip_network(allowed)
    except ValueError:
        return False
    # An interface's name behind it (fe80::1%eth0) is no part of the address.
    return ipaddress.ip_address(address.partition("%")[0]) in network


def is_public(address: str) -> bool:
    """Whether packets to the address leave for the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped or ip.is_site_local or any(ip in network for network in TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast
