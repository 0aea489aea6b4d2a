"""Where a post may go: names are resolved once, and every address of a name is judged.

A job's author chooses the URL, this machine makes the connection: without a check a job could
reach the cloud's metadata service or the services of the local network.
"""

from __future__ import annotations

import ipaddress
import socket

from gpuqueue.errors import InvalidJob, TransientError

#: IPv6 addresses that carry an IPv4 address: it says where the packets go (RFC 6052).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Tunnels that lead to IPv4 addresses of anybody's choice: 6to4 and Teredo.
TUNNELS = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))


def resolve(host: str, port: int, allow_private: bool) -> list[str]:
    """The addresses of `host`, in the order to try them.

    How long a look-up may take, the machine's resolver says (often 10 s).
    Raises InvalidJob if one of them is not public and `allow_private` is false, TransientError if
    the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"cannot resolve '{host}': {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private:
        for address in addresses:
            _refuse_private(host, address)
    return addresses


def refuse_private_literal(host: str) -> None:
    """Raise InvalidJob if `host` is written as an address that is not public."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    _refuse_private(host, host)


def _refuse_private(host: str, address: str) -> None:
    if not is_public(address):
        raise InvalidJob(
            f"'{host}' is the address {address}, which is not public; "
            "allow_private_networks in block http_post would permit it"
        )


def is_public(address: str) -> bool:
    """Whether packets to the address leave for the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped or ip.is_site_local or any(ip in network for network in TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast
