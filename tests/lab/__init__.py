"""Real servers, real DNS and a real sending Postfix in a network namespace: what tlsaudit says, checked against them."""
