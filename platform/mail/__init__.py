"""Mail: campaigns of organizers, and the outbox from which each person gets each message once."""
