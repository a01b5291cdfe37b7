"""Tables from stored runs."""
