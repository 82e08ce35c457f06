"""The Prefect worker type `podium`, its executors and the images that it makes."""
