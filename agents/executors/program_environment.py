"""The environment that every program starts with, whichever executor runs it."""

from __future__ import annotations

import math

from podium.tasks.programs import Program

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


def program_environment(program: Program, *, cpus: float) -> dict[str, str]:
    """Variables for `program`, which may use `cpus` cores; its own come last and win."""
    # Numeric libraries start a thread for each core of the host; more threads than the limit only fight each other.
    threads = str(max(1, math.ceil(cpus)))
    return {
        "HOME": "/tmp",  # noqa: S108 -- the program's own /tmp
        "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108 -- the program's own /tmp
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(_THREADS, threads),
        **program.environment,
    }
