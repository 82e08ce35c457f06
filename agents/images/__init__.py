"""Images made from the host's own packages, where no registry can be reached."""
