"""The embedded lab: a name server and small mail servers on loopback, each in another TLS state, for newcomers."""
