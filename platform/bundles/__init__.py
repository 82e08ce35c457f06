"""Bundles: reading, checking, and every problem at once."""
