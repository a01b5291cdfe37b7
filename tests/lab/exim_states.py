"""The states that Exim shows, with GnuTLS. `options` names ACLs of exim_servers.py for the moments of the dialogue,
a GnuTLS priority string, and which clients are offered TLS or must show a certificate."""

from .states import Kind, State

OLD_VERSIONS = "NORMAL:-VERS-ALL:%COMPAT"


def exim(name: str, *chains: str, **options: str) -> State:
    return State(name=f"exim-{name}", kind=Kind.EXIM, chains=chains or ("good-rsa",), options=options)


EXIM_STATES = [
    exim("good"),
    exim("ecdsa", "good-ecdsa"),
    exim("rsa-and-ecdsa", "good-rsa", "good-ecdsa"),
    exim("expired", "expired"),
    exim("self-signed", "self-signed-rsa"),
    exim("wrong-name", "wrong-name"),
    exim("missing-intermediate", "missing-intermediate"),
    exim("tls12-only", priority="NORMAL:-VERS-ALL:+VERS-TLS1.2"),
    exim("tls13-only", priority="NORMAL:-VERS-ALL:+VERS-TLS1.3"),
    exim("tls10-only", priority=f"{OLD_VERSIONS}:+VERS-TLS1.0"),
    exim("tls11-only", priority=f"{OLD_VERSIONS}:+VERS-TLS1.1"),
    exim("dhe-only", priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA"),
    exim("rsa-exchange-only", priority="NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"),
    exim("one-group", priority="NORMAL:-GROUP-ALL:+GROUP-SECP521R1"),
    exim("secure256", priority="SECURE256"),
    exim("no-tls", advertise="no"),
    exim("tls-demanded", mail="tls_only"),
    exim("clear-demanded", mail="clear_only"),
    exim("client-certificate-asked", ask_certificate="yes"),
    exim("client-certificate-required", demand_certificate="yes"),
    exim("client-certificate-required-tls12", demand_certificate="yes", priority="NORMAL:-VERS-ALL:+VERS-TLS1.2"),
    exim("certificate-unreadable", certificate="/nowhere.pem"),
    exim("starttls-denied", starttls="never"),
    exim("starttls-deferred", starttls="later"),
    exim("starttls-dropped", starttls="drop_it"),
    exim("connect-denied", connect="never"),
    exim("connect-deferred", connect="later"),
    exim("connect-dropped", connect="drop_it"),
    exim("connect-slow", connect="slowly"),
    exim("helo-denied", helo="never"),
    exim("helo-denied-in-tls", helo="clear_helo_only"),
    exim("mail-denied", mail="never"),
    exim("mail-deferred", mail="later"),
]
