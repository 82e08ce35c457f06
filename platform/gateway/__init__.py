"""The HTTP API: the only door to Podium's database and storage."""
