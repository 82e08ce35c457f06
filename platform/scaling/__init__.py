"""Scaling: how many agents a pool has, decided from what waits, and who starts and stops them."""
