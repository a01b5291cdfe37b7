"""The policy engine against a real Postfix: its own sender and receivers, in the namespaces of the lab."""
