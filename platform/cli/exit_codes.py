"""How the command line ends, as numbers that scripts can rely on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from podium.platform.bundles.problems import BundleRefused
from podium.platform.client.waiting import WaitedTooLong
from podium.platform.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformFault,
    PodiumError,
    QuotaExceeded,
    TooLarge,
    TooManyRequests,
)


class ExitCode(IntEnum):
    """Exit status of every command; `MEANINGS` says each in words."""

    OK = 0
    JUDGED_BAD = 1
    USAGE = 2
    NOT_AUTHENTICATED = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5
    CONFLICT = 6
    FAULT = 7
    TIMEOUT = 8
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.OK: "done",
        ExitCode.JUDGED_BAD: (
            "the submission failed, the bundle or file was refused, no file was an image, "
            "the rerun's results don't count, or you said no"
        ),
        ExitCode.USAGE: "the command can't be run as it was given",
        ExitCode.NOT_AUTHENTICATED: "not signed in",
        ExitCode.NOT_ALLOWED: "not allowed",
        ExitCode.NOT_FOUND: "no such thing",
        ExitCode.CONFLICT: "it exists already, the phase is closed, or a limit is used up",
        ExitCode.FAULT: "Podium is having trouble: try again later",
        ExitCode.TIMEOUT: "the wait is over, the work goes on",
        ExitCode.INTERRUPTED: "interrupted",
    }
)

_CODES: Mapping[type, ExitCode] = MappingProxyType(
    {
        BundleRefused: ExitCode.JUDGED_BAD,
        TooLarge: ExitCode.JUDGED_BAD,
        InvalidInput: ExitCode.USAGE,
        NotAuthenticated: ExitCode.NOT_AUTHENTICATED,
        NotAllowed: ExitCode.NOT_ALLOWED,
        NotFound: ExitCode.NOT_FOUND,
        Conflict: ExitCode.CONFLICT,
        QuotaExceeded: ExitCode.CONFLICT,
        PlatformFault: ExitCode.FAULT,
        TooManyRequests: ExitCode.FAULT,
        WaitedTooLong: ExitCode.TIMEOUT,
    }
)


def exit_code_of(error: PodiumError) -> ExitCode:
    """The exit status for an error: that of its own class, or of the nearest class above."""
    for ancestor in type(error).__mro__:
        if code := _CODES.get(ancestor):
            return code
    return ExitCode.FAULT


def exit_code_table() -> str:
    """All codes with their meanings, in one sentence for `--help`."""
    return "Exit status: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."
