"""What a Postfix sender does with mail for a domain, from the facts of a scan: pure judgement, no packet is sent."""
