"""Reruns: submissions scored again, their results compared with the old ones, and adopted all at once."""
