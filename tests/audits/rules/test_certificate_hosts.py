"""Certificates compared over addresses and MX hosts."""

from audits.established.host_certificates import AddressesOfHost, HostKeys
from tests.audits.rules.chains import INTER, MX
from tests.audits.rules.examples import Examples
from tests.certificate_factory import leaf

NEW, OLD, RSA = (leaf(INTER, MX, serial=serial).facts for serial in (1, 2, 3))
A, B = frozenset({"aa"}), frozenset({"bb"})

EXAMPLES = {
    "CERT-040": Examples(
        expects={},
        passes=(
            AddressesOfHost({"192.0.2.1": (NEW,), "2001:db8::1": (NEW,)}),
            AddressesOfHost({"192.0.2.1": (NEW, RSA), "2001:db8::1": (NEW,)}),
        ),
        fails=(
            AddressesOfHost({"192.0.2.1": (NEW,), "2001:db8::1": (OLD,)}),
            AddressesOfHost({"192.0.2.1": (NEW,), "192.0.2.2": (OLD,)}, ("192.0.2.3",)),
        ),
        opens=(AddressesOfHost({"192.0.2.1": (NEW,)}, ("2001:db8::1",)),),
    ),
    "CERT-041": Examples(
        expects={},
        passes=(HostKeys({"a.example.org": A, "b.example.org": B}),),
        fails=(HostKeys({"a.example.org": A, "b.example.org": A | B}),),
        opens=(HostKeys({"a.example.org": A}, ("b.example.org",)),),
    ),
}
