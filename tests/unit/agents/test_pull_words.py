"""What the engine says of a pull: whose doing it is, and how far it has come."""

from __future__ import annotations

import pytest

from podium.agents.images.pulling import PullProgress, is_final

FINAL = (
    "manifest for example.org/a:1 not found: manifest unknown: manifest unknown",
    "pull access denied for a/b, repository does not exist or may require 'docker login': denied: requested access",
    'Head "https://example.org/v2/a/manifests/1": no basic auth credentials',
    'Head "https://example.org/v2/a/manifests/1": unauthorized: authentication required',
    "no matching manifest for linux/arm64/v8 in the manifest list entries",
    "invalid reference format",
)
TROUBLE = (
    'Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused',
    'Get "https://example.org/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
    'Get "https://example.org/v2/": dial tcp: lookup example.org: Temporary failure in name resolution',
    "received unexpected HTTP status: 503 Service Unavailable",
    "toomanyrequests: You have reached your pull rate limit.",
    "unexpected EOF",
    "net/http: TLS handshake timeout",
    "something that no one has heard before",
)


@pytest.mark.parametrize("words", FINAL)
def test_answers_about_the_image_are_final(words: str) -> None:
    assert is_final(words)


@pytest.mark.parametrize("words", TROUBLE)
def test_trouble_is_not(words: str) -> None:
    assert not is_final(words)


def test_progress_is_of_all_layers_that_are_known() -> None:
    progress = PullProgress()
    progress.hear({"status": "Pulling from library/python", "id": "3"})
    assert progress.percent is None
    progress.hear({"status": "Downloading", "id": "a", "progressDetail": {"current": 10, "total": 100}})
    progress.hear({"status": "Downloading", "id": "b", "progressDetail": {"current": 50, "total": 100}})
    assert progress.percent == 30
    progress.hear({"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 100}})
    assert progress.percent == 30
    progress.hear({"status": "Download complete", "id": "a", "progressDetail": {}})
    assert progress.percent == 75
