"""`podium up`: every part of Podium under one supervisor."""
