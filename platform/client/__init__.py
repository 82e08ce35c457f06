"""The client library: httpx and nothing else.

    from podium.platform.client import Client

    with Client("https://podium.example.org", token) as client:
        submission = client.wait(client.submit("iris", "predictions.csv").id)

Importing it opens no connection and reads no file. Every error is one of `podium.platform.errors`.
"""

from podium.platform.client.api import Client
from podium.platform.client.competitions import rows_of
from podium.platform.client.conversion import AnotherVersion, record_from_json, record_to_json
from podium.platform.client.progress import Progress, Step
from podium.platform.client.retries import Patience
from podium.platform.client.waiting import WaitedTooLong

__all__ = [
    "AnotherVersion",
    "Client",
    "Patience",
    "Progress",
    "Step",
    "WaitedTooLong",
    "record_from_json",
    "record_to_json",
    "rows_of",
]
