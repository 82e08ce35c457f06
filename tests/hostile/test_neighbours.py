"""Programs beside each other and after each other: none hears of another, none takes another's share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from case import PREDICT, Case
from privileges import CALL
from proving_ground import Ended, ProvingGround
from world import eventually

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("neighbours")]
Grounds = Callable[[str], ProvingGround]

SIGNS = (
    CALL
    + """
import time
KEY = 0x504f4449
def leave():
    open('/dev/shm/note', 'w').write('note')
    open('/tmp/note', 'w').write('note')
    held.append(socket.create_server(('127.0.0.1', 5005)))
    held.append(socket.socket(socket.AF_UNIX))
    held[-1].bind('\\0podium-note')
    held[-1].listen()
    libc.shmget(KEY, 4096, 0o1666)
    libc.msgget(KEY, 0o1666)
    libc.semget(KEY, 1, 0o1666)
    libc.syscall(248, b'user', b'podium-note', b'note', 4, -3)
    libc.syscall(248, b'user', b'podium-note', b'note', 4, -4)
def find():
    for path in ('/dev/shm/note', '/tmp/note'):
        if os.path.exists(path):
            yield path
    for family, address in ((socket.AF_INET, ('127.0.0.1', 5005)), (socket.AF_UNIX, '\\0podium-note')):
        with socket.socket(family) as one:
            one.settimeout(1)
            if not one.connect_ex(address):
                yield address
    if libc.shmget(KEY, 4096, 0) >= 0 or libc.msgget(KEY, 0) >= 0 or libc.semget(KEY, 1, 0) >= 0:
        yield 'System V'
    for ring in (-3, -4):
        if libc.syscall(250, 10, ring, b'user', b'podium-note', 0) >= 0:
            yield 'a key'
held = []
"""
)
LEAVES = Case(
    "leaves-notes",
    "leaves notes for its neighbours wherever it can",
    program=SIGNS
    + """
try:
    leave()
except OSError as error:
    print('LEFT not all:', error)
print('FOUND', [str(one) for one in find()], flush=True)
print('ready', flush=True)
time.sleep(4)
"""
    + PREDICT,
)
LOOKS = Case(
    "looks-for-notes", "looks for the notes of others", program=SIGNS + "print('FOUND', list(find()))\n" + PREDICT
)


@contextmanager
def running(ground: ProvingGround, case: Case) -> Iterator[Future[Ended]]:
    """Run a case, which says `ready` when it runs, at least as long as the block."""
    submission = ground.submit(case)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(ground.attempt, submission, case)
        eventually(lambda: future.done() or "ready" in "".join(ground.logs_of(submission).values()))
        assert not future.done(), future.result().log
        yield future


@pytest.mark.parametrize("executor", ["docker", "bubblewrap"])
def test_neighbours_share_nothing(executor: str, grounds: Grounds) -> None:
    with running(grounds(executor), LEAVES) as leaving:
        looked = grounds(executor).run(LOOKS)
        assert not leaving.done(), "it ended too early to be a neighbour"
        left = leaving.result()
    for own in ("/dev/shm/note", "/tmp/note", "127.0.0.1", "podium-note", "System V"):
        assert own in left.log  # it finds what it left itself: the look is a good one
    assert "FOUND []" in looked.log
    assert "FOUND []" in grounds(executor).run(LOOKS).log


SHARE = """
import os, time
began, used = time.monotonic(), time.process_time()
while time.monotonic() < began + 2:
    pass
print('SHARE', (time.process_time() - used) / (time.monotonic() - began))
"""
WELL_BEHAVED = Case("well-behaved", "computes on one core, which is its share", program=SHARE + PREDICT)
HARMLESS = "print('ready', flush=True)\nwhile True:\n    pass\n"
BOMBS = {
    "forks": "import os\nprint('ready', flush=True)\n"
    "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    "output": "import os\nprint('ready', flush=True)\nwhile True:\n    os.write(1, b'spam' * (1 << 16))\n",
    "memory": (
        "import subprocess, sys\nprint('ready', flush=True)\nwhile True:\n"
        "    subprocess.run([sys.executable, '-c', 'x = bytearray(b\"1\" * (500 << 20))'])\n"
    ),
}


def share(ended: Ended) -> float:
    return float(ended.log.split("SHARE ")[1].split()[0])


def beside(ground: ProvingGround, name: str, program: str) -> float:
    """The share of a core that a well-behaved program gets beside another one."""
    other = Case(name, "is a neighbour", program=program, limits={"wall_seconds": 20, "cpus": 1})
    with running(ground, other) as future:
        try:
            got = share(ground.run(WELL_BEHAVED))
            assert not future.done(), "it ended too early to be a neighbour"
        finally:
            ground.stop()
        return got


@pytest.fixture(scope="module")
def fair_share(grounds: Grounds) -> float:
    """What it gets beside a program that wants no more than its own share."""
    return beside(grounds("docker"), "harmless", HARMLESS)


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_leave_their_neighbours_a_share(bomb: str, fair_share: float, grounds: Grounds) -> None:
    # Coarse: this machine may have a lot to do besides. That the limits are set at all is for `test_rules`.
    assert beside(grounds("docker"), bomb, BOMBS[bomb]) > fair_share / 4
