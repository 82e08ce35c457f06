"""One site of several hosts for all of these, which ends after the last of them."""
