"""One Podium to break for all of these, which ends after the last of them."""
