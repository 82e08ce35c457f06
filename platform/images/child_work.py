"""What a child process does: its jobs, one after the other, with an answer to each."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from podium.platform.images.expansion import expand
from podium.platform.images.job_kinds import (
    ADAPTERS,
    ANSWERS_FILE,
    DONE,
    JOBS_FILE,
    NAMES,
    REFUSED,
    Answer,
    ExpandJob,
    ImportJob,
    Job,
    ScanJob,
)
from podium.platform.images.making import make
from podium.platform.images.problems import ImageRefused, Reason, Refusal
from podium.platform.images.scanning import scan

_DO: dict[type[Job], Callable[[Any], Answer]] = {ExpandJob: expand, ScanJob: scan, ImportJob: make}


def work(folder: Path) -> None:
    """Do the jobs of a task's folder."""
    with (folder / JOBS_FILE).open("rb") as jobs, (folder / ANSWERS_FILE).open("xb", buffering=0) as answers:
        for line in jobs:
            name, _, text = line.partition(b" ")
            kind = NAMES[name.decode()]
            answers.write(_answer(kind, text) + b"\n")


def _answer(kind: type[Job], text: bytes) -> bytes:
    try:
        done = _DO[kind](ADAPTERS[kind].validate_json(text))
    except ImageRefused as error:
        return _refused(error.refusal)
    except MemoryError:
        return _refused(Refusal(Reason.OUT_OF_MEMORY, "Reading it took more memory than allowed."))
    except OSError as error:
        if error.errno in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT):
            return _refused(Refusal(Reason.TOO_LARGE, "What it unpacks to is larger than allowed."))
        return _broken(error)
    except Exception as error:  # noqa: BLE001 -- one file's failure, whatever it is, must not be that of the next
        return _broken(error)
    return DONE + b" " + ADAPTERS[type(done)].dump_json(done)


def _broken(error: Exception) -> bytes:
    traceback.print_exc()
    detail = f"The program that read it failed ({type(error).__name__}): it may be damaged."
    return _refused(Refusal(Reason.CRASHED, detail))


def _refused(refusal: Refusal) -> bytes:
    return REFUSED + b" " + ADAPTERS[Refusal].dump_json(refusal)
