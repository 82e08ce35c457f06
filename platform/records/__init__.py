"""What the gateway's API answers, as plain dataclasses that gateway and client share.

The gateway declares them as its response models, so that the published OpenAPI document says the same; the client
builds them from JSON. The standard library alone: a participant's install has no pydantic. Times are aware UTC,
sizes bytes, durations seconds, ids UUIDs.
"""
