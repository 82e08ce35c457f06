"""The client library: httpx and nothing else."""
