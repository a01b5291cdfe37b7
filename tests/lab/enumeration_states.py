"""The servers whose suites and groups are enumerated, and what is known of each beforehand."""

from .postfix_states import tls
from .states import Kind, State

EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
OLD_POSTFIX = {"tls_medium_cipherlist": EVERYTHING, "smtpd_tls_protocols": ">=TLSv1"}
"""All versions that this OpenSSL still has, and every suite."""


def front(name: str, kind: str, *chains: str, arguments: str = "") -> State:
    return State(name=name, kind=Kind.ODD, chains=chains, options={"kind": kind, "arguments": arguments})


def plus(state: State, **options: str) -> State:
    return State(name=state.name, kind=state.kind, chains=state.chains, options={**state.options, **options})


ENUMERATED = [
    tls("postfix-plain", "good-rsa", protocols=">=TLSv1.2"),
    plus(tls("postfix-everything", "good-rsa", "good-ecdsa"), **OLD_POSTFIX),
    plus(tls("postfix-client-order", "good-rsa", "good-ecdsa"), tls_preempt_cipherlist="no"),
    plus(tls("postfix-server-order", "good-rsa", "good-ecdsa"), tls_preempt_cipherlist="yes"),
    State(name="exim", kind=Kind.EXIM, chains=("good-rsa",)),
    State(name="exim-stock", kind=Kind.EXIM, chains=("good-rsa",), options={"stock": "yes"}),
    front("s-server", "pipe", "good-rsa", "good-ecdsa", arguments=f"-cipher {EVERYTHING} -serverpref"),
    front("s-server-tls13", "pipe", "good-ecdsa", arguments="-tls1_3 -groups X25519:P-384"),
    front("tlslite", "tlslite", "good-rsa"),
    front("pyopenssl", "pyopenssl", "good-ecdsa"),
]
EXACT = [state.name for state in ENUMERATED if state.name != "exim-stock"]
PREFERENCES = {"postfix-client-order": "client", "postfix-server-order": "server", "s-server": "server"}
NO_MAIL_SERVER = ("s-server", "s-server-tls13")
