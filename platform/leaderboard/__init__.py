"""Ranking rules, and leaderboards made from stored scores."""
