"""Submissions that want all there is: processes, memory, time, disk, output."""

from __future__ import annotations

from case import PREDICT, Case

from podium.platform.jobs import MIB
from podium.platform.lifecycle import Verdict

QUICK = {"wall_seconds": 3}

CASES = (
    Case(
        "fork-bomb",
        "forks for ever, and goes on when it can't",
        program="import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        # Room for all the copies, so that it is the time that ends them.
        limits={**QUICK, "memory_bytes": 1 << 30},
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
    ),
    Case(
        "fork-bomb-that-gives-up",
        "forks children that sleep, and ends when it can't have more",
        program="import os, time\nwhile True:\n    if not os.fork():\n        time.sleep(600)\n",
        verdict=Verdict.PROCESS_LIMIT,
        says=("32",),
    ),
    Case(
        "thread-bomb",
        "starts threads for ever",
        program=(
            "import threading, time\n"
            "while True:\n    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        ),
        verdict=Verdict.PROCESS_LIMIT,
        says=("32",),
    ),
    Case(
        "memory-bomb",
        "takes memory until it is killed",
        program="held = []\nwhile True:\n    held.append(bytearray(b'1' * (1 << 20)))\n",
        verdict=Verdict.MEMORY_LIMIT,
        says=("64 MiB",),
    ),
    Case(
        "memory-bomb-in-a-child",
        "takes memory in children, and lives on to do it again",
        program=(
            "import subprocess, sys\n"
            "for _ in range(3):\n"
            "    subprocess.run([sys.executable, '-c', 'x = bytearray(b\"1\" * (500 << 20))'])\n"
            "print('alive')\nsys.exit(1)\n"
        ),
        verdict=Verdict.MEMORY_LIMIT,
        says=("64 MiB",),
        shows=("alive",),
    ),
    Case(
        "memory-bomb-whose-parent-ends-well",
        "takes memory in a child, and does its work all the same",
        program=(
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'x = bytearray(b\"1\" * (500 << 20))'])\n" + PREDICT
        ),
    ),
    Case(
        "shared-memory-bomb",
        "hides memory in /dev/shm",
        program=(
            "with open('/dev/shm/x', 'wb', buffering=0) as file:\n"
            "    while True:\n        assert file.write(bytes(1 << 20)) == 1 << 20\n"
        ),
        limits={"file_bytes": 512 * MIB, "temporary_bytes": 512 * MIB},
        verdict=Verdict.MEMORY_LIMIT,
        says=("64 MiB",),
    ),
    Case(
        "cpu-spin",
        "spins on every core for ever",
        program="import os\nfor _ in range(8):\n    os.fork()\n    break\nwhile True:\n    pass\n",
        limits=QUICK,
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
    ),
    Case(
        "sleep-past-the-limit",
        "sleeps until after the deadline",
        program="import time\ntime.sleep(600)\n",
        limits=QUICK,
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
    ),
    Case(
        "ignores-every-signal",
        "ignores TERM and all that can be ignored",
        program=(
            "import signal, time\n"
            "for number in range(1, 65):\n"
            "    try:\n        signal.signal(number, signal.SIG_IGN)\n"
            "    except (OSError, ValueError):\n        pass\n"
            "print('deaf', flush=True)\n"
            "while True:\n    time.sleep(1)\n"
        ),
        limits=QUICK,
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
        shows=("deaf",),
    ),
    Case(
        "stops-itself",
        "sends SIGSTOP to all it can reach, so that no timer inside could fire",
        program="import os, signal\nprint('frozen', flush=True)\nos.kill(0, signal.SIGSTOP)\n",
        limits=QUICK,
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
        shows=("frozen",),
    ),
    Case(
        "daemon-that-detaches",
        "forks twice into a session of its own, to go on after the end",
        program=(
            PREDICT + "import os, time\n"
            "if not os.fork():\n"
            "    os.setsid()\n"
            "    if not os.fork():\n"
            "        for number in range(600):\n"
            "            time.sleep(1)\n"
            "            open(f'/app/output/late-{number}', 'w').write('late')\n"
            "    os._exit(0)\n"
            "os.wait()\n"
        ),
        lacks=("late-5",),
    ),
    Case(
        "child-that-holds-the-output-open",
        "ends while a child still holds its standard output",
        program=PREDICT
        + "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\nprint('bye')\n",
        shows=("bye",),
    ),
    Case(
        "closes-its-output",
        "closes all its descriptors and works on",
        program=PREDICT + "import os, time\nos.closerange(0, 100)\ntime.sleep(0.5)\nos._exit(0)\n",
    ),
    Case(
        "fills-tmp",
        "fills /tmp",
        program=("for number in range(1000):\n    open(f'/tmp/{number}', 'wb').write(bytes(1 << 20))\n"),
        verdict=Verdict.EXIT_STATUS,
        shows=("No space left on device",),
    ),
    Case(
        "fills-the-disk",
        "fills its output folder with files that are each allowed",
        program=(
            "import time\nfor number in range(100_000):\n"
            "    open(f'/app/output/{number}', 'wb').write(bytes(4 << 20))\n    time.sleep(0.05)\n"
        ),
        verdict=Verdict.DISK_LIMIT,
        says=("32 MiB",),
    ),
    Case(
        "file-without-a-name",
        "fills the disk with files that it has removed, and keeps open",
        program=(
            "import os\nheld = []\n"
            "for number in range(30):\n"
            "    held.append(open(f'/app/output/{number}', 'wb'))\n"
            "    os.unlink(f'/app/output/{number}')\n"
            "    held[-1].write(bytes(4 << 20))\n    held[-1].flush()\n"
            # Said while it is within its limit: a moment after that, it may be stopped.
            "    if number == 0:\n        print('held', flush=True)\n"
            "import time\ntime.sleep(600)\n"
        ),
        verdict=Verdict.DISK_LIMIT,
        says=("32 MiB",),
        shows=("held",),
    ),
    Case(
        "cpu-limit",
        "spins in children, within its time and beyond its share",
        program="import os\nos.fork()\nwhile True:\n    pass\n",
        limits={"cpu_seconds": 2, "wall_seconds": 60},
        verdict=Verdict.TIME_LIMIT,
        says=("2 s",),
    ),
    Case(
        "leaves-too-much",
        "leaves more bytes than may leave",
        program=PREDICT + "for number in range(3):\n    open(f'/app/output/{number}', 'wb').write(bytes(3 << 20))\n",
        verdict=Verdict.OUTPUT_LIMIT,
        says=(r"8388608|8 MiB",),
    ),
    Case(
        "one-huge-file",
        "writes one file without end",
        program="with open('/app/output/x', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))\n",
        verdict=Verdict.OUTPUT_LIMIT,
        says=("size limit of 4 MiB",),
    ),
    Case(
        "file-full-of-holes",
        "makes a file of an exabyte that takes no space",
        program=(
            "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
            "open('/app/output/x', 'wb').truncate(1 << 60)\n"
        ),
        verdict=Verdict.OUTPUT_LIMIT,
        says=("4 MiB",),
    ),
    Case(
        "too-many-files",
        "leaves thousands of files",
        program="for number in range(5_000):\n    open(f'/app/output/{number}', 'w').close()\n",
        verdict=Verdict.OUTPUT_LIMIT,
        says=("500 files",),
    ),
    Case(
        "opens-everything",
        "keeps opening files",
        program="held = [open('/dev/null') for _ in range(10_000)]\n",
        verdict=Verdict.EXIT_STATUS,
        shows=("Too many open files",),
    ),
    Case(
        "megabytes-of-lines",
        "writes 200 megabytes of lines to its standard output",
        program=PREDICT
        + "import os\nline = b'spam spam spam spam\\n' * 50_000\nfor _ in range(200):\n    os.write(1, line)\n",
        limits={"wall_seconds": 120},
        shows=("spam spam", "[podium: the log was cut here"),
        executors=("docker",),
    ),
    Case(
        "megabytes-without-a-newline",
        "writes 200 megabytes of zero bytes in one line to its standard error",
        program=PREDICT + "import os\nzeros = bytes(1 << 20)\nfor _ in range(200):\n    os.write(2, zeros)\n",
        limits={"wall_seconds": 120},
        shows=("[podium: the log was cut here",),
    ),
    Case(
        "stack-overflow",
        "recurses in C until its stack is gone",
        program=("import faulthandler, sys\nsys.setrecursionlimit(10**9)\nimport ctypes\nctypes.string_at(1)\n"),
        verdict=Verdict.EXIT_STATUS,
        says=("139",),
    ),
)
