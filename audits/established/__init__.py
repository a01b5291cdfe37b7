"""The facts that rules may ask for: each type knows how it is established from what was seen, or why it is not."""
