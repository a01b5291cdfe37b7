"""The demo history: what its servers are, what they publish, and what happens to them in fourteen nights."""
