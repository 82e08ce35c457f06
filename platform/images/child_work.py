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
    UnpackJob,
)
from podium.platform.images.making import make
from podium.platform.images.problems import NO_ROOM, ImageRefused, Reason, Refusal
from podium.platform.images.scanning import scan
from podium.platform.images.unpacking import unpack

_DO: dict[type[Job], Callable[[Any], Answer]] = {
    ExpandJob: expand,
    ScanJob: scan,
    ImportJob: make,
    UnpackJob: unpack,
}
_SAID = {
    errno.EFBIG: Refusal(Reason.TOO_LARGE, "What it unpacks to is larger than allowed."),
    errno.ENOSPC: NO_ROOM,
    errno.EDQUOT: NO_ROOM,
}


def work(folder: Path) -> None:
    """Do the jobs of a task's folder."""
    with (folder / JOBS_FILE).open("rb") as jobs, (folder / ANSWERS_FILE).open("xb", buffering=0) as answers:
        for line in jobs:
            name, _, text = line.partition(b" ")
            answer = answer_to(ADAPTERS[NAMES[name.decode()]].validate_json(text))
            how = REFUSED if isinstance(answer, Refusal) else DONE
            answers.write(how + b" " + ADAPTERS[type(answer)].dump_json(answer) + b"\n")


def answer_to(job: Job) -> Answer | Refusal:
    """Do a job; whatever goes wrong is a refusal of its files, and not the end of the jobs after it."""
    try:
        return _DO[type(job)](job)
    except ImageRefused as error:
        return error.refusal
    except MemoryError:
        return Refusal(Reason.OUT_OF_MEMORY, "Reading it took more memory than allowed.")
    except Exception as error:  # noqa: BLE001 -- libraries raise whatever a damaged file runs them into
        if isinstance(error, OSError) and error.errno in _SAID:
            return _SAID[error.errno]
        traceback.print_exc()
        detail = f"The program that read it failed ({type(error).__name__}): it may be damaged."
        return Refusal(Reason.CRASHED, detail)
