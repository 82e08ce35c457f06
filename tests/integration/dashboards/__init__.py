"""One browser for all of these, and one dashboards process over the stand-in."""
