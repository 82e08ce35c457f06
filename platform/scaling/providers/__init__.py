"""Who starts and stops agents for scaling: local processes, containers on Docker hosts, or an operator's program."""
