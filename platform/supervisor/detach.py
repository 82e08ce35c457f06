"""Leaves a supervisor running in the background once everything is up."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

_READY = "\0ready"


def run_detached(run: Callable[[TextIO, Callable[[], None]], int], log: Path) -> int:
    """Run something in a new session of its own, and return when it says that it is ready, or when it fails.

    The process is forked: call this before there are threads, and while no event loop runs.

    Args:
        run: What to run. It gets a stream to the one who waits, and what to call when it is ready; it returns the exit
            status of the whole.
        log: Where its standard output and error go.

    Returns:
        0 when it is ready, else its exit status.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os._exit(_in_background(run, writing, log))
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            for line in said:
                if line.rstrip("\n") == _READY:
                    return 0
                print(line, end="", flush=True)
    except KeyboardInterrupt:
        # Whoever loses patience wants it to end, and not to go on behind their back.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_background(run: Callable[[TextIO, Callable[[], None]], int], writing: int, log: Path) -> int:
    os.setsid()
    with Path(os.devnull).open("rb") as nothing, log.open("ab") as output:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.set_inheritable(writing, False)  # noqa: FBT003  positional by definition
    said = os.fdopen(writing, "w")

    def ready() -> None:
        print(_READY, file=said, flush=True)
        said.close()

    try:
        return run(said, ready)
    except Exception:  # noqa: BLE001  the end of a process: nobody above could hear of it
        sys.excepthook(*sys.exc_info())
        with contextlib.suppress(OSError, ValueError):
            print(f"Podium failed in a way that nobody expected; see {log}.", file=said, flush=True)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
