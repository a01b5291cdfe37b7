"""Real servers, real DNS and a real sending Postfix in a namespace of their own: tlsaudit is checked against them."""
