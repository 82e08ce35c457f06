"""A submission's way through the database: created, dispatched, claimed, finished."""
