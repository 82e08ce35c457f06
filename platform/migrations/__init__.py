"""Alembic migrations of Podium's database."""
