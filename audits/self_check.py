"""Looks at ourselves before a run: does the name we say in EHLO lead back to this machine, is there an IPv6 route?"""

import socket

_SOMEWHERE_V4 = ("192.0.2.1", 53)
_SOMEWHERE_V6 = ("2001:4860:4860::8888", 53)
"""Only routes are looked up: connecting a datagram socket sends nothing."""


def default_ehlo() -> str:
    """This host's name for EHLO: fully qualified where it has such a name, else its address literal."""
    name = socket.getfqdn()
    return (
        name if "." in name and not name.endswith((".localdomain", ".arpa")) else f"[{_own_address() or '127.0.0.1'}]"
    )


def has_ipv6_route() -> bool:
    """Whether a global IPv6 address could be reached from here at all."""
    return _source_towards(socket.AF_INET6, _SOMEWHERE_V6) is not None


def ehlo_warning(ehlo: str) -> str:
    """Why receivers may take us for a spammer: the EHLO name and this machine's address do not fit; "" if they do."""
    own = _own_address()
    if ehlo.startswith("["):
        return "no fully qualified name for EHLO was found; some servers refuse address literals: use --ehlo NAME"
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(ehlo, 25, proto=socket.IPPROTO_TCP)}
    except (OSError, UnicodeError):
        return f"the EHLO name {ehlo} has no address; some servers refuse that: use --ehlo NAME"
    if own is None or own in addresses:
        return _reverse_warning(ehlo, own)
    return f"the EHLO name {ehlo} does not lead to this machine's address {own}; some servers refuse that: use --ehlo"


def _reverse_warning(ehlo: str, own: str | None) -> str:
    try:
        reverse = socket.gethostbyaddr(own)[0] if own else ehlo
    except OSError:
        return f"this machine's address {own} has no reverse name; many servers refuse such clients"
    if reverse.rstrip(".").lower() == ehlo.rstrip(".").lower():
        return ""
    return f"the reverse name of {own} is {reverse}, not the EHLO name {ehlo}; some servers refuse that"


def _own_address() -> str | None:
    return _source_towards(socket.AF_INET, _SOMEWHERE_V4)


def _source_towards(family: socket.AddressFamily, address: tuple[str, int]) -> str | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            return str(sock.getsockname()[0])
    except OSError:
        return None
