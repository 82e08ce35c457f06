"""One Podium for all of these, which ends after the last of them: an idle one costs other tests time."""
