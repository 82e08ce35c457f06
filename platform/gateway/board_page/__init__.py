"""A public leaderboard as a page that stands by itself: one file, which asks for nothing elsewhere."""
