"""TLS on the wire without a socket: build a ClientHello, read the server's first flight, plan what to ask next."""
