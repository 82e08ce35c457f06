"""How an agent runs a program: in a container or, where trusted, in a process."""
