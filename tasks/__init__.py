"""The steps of the flows: Prefect tasks with their side effects at the edge."""
