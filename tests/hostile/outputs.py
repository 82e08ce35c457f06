"""Submissions whose output wants the host to read, follow or believe something else."""

from __future__ import annotations

from case import PREDICT, Case

from podium.platform.lifecycle import Verdict

OS = "import os, socket, stat\nos.chdir('/app/output')\n"
REFUSED = Verdict.BAD_SUBMISSION

CASES = (
    Case(
        "symlink-to-a-secret",
        "leaves a symbolic link to a file of the host in place of its predictions",
        program=OS + "os.symlink('«canaries»/readable', 'predictions.txt')\n",
        verdict=REFUSED,
        says=(r"`predictions\.txt` is refused: it is a symbolic link",),
    ),
    Case(
        "symlink-to-the-truth",
        "leaves a symbolic link to where the scoring program has the truth",
        program=OS + "os.symlink('/app/input/ref/truth.txt', 'predictions.txt')\n",
        verdict=REFUSED,
        says=("it is a symbolic link",),
    ),
    Case(
        "symlinked-folder",
        "leaves a folder that is a link to the root of the host",
        program=PREDICT + OS + "os.mkdir('a')\nos.symlink('/', 'a/folder')\n",
        verdict=REFUSED,
        says=("`a/folder` is refused: it is a symbolic link",),
    ),
    Case(
        "dangling-symlink",
        "leaves a link to nothing, in the hope that the host creates what it names",
        program=PREDICT + OS + "os.symlink('«canaries»/new', 'metadata')\n",
        verdict=REFUSED,
        says=("`metadata` is refused",),
    ),
    Case(
        "hard-link",
        "gives one file two names",
        program=PREDICT + OS + "os.link('predictions.txt', 'second')\n",
        verdict=REFUSED,
        says=("it is a hard link",),
    ),
    Case(
        "hard-link-to-its-input",
        "links an input into its output, to write to it there",
        program=OS
        + "try:\n    os.link('/app/input_data/given.txt', 'given')\n    print('GOT a link')\n"
        + "except OSError as error:\n    print('refused', error.strerror)\n"
        + PREDICT,
        shows=("refused",),
    ),
    Case(
        "named-pipe",
        "leaves a pipe on which a reader would wait for ever",
        program=OS + "os.mkfifo('predictions.txt')\n",
        verdict=REFUSED,
        says=("it is a named pipe",),
    ),
    Case(
        "socket",
        "leaves a socket",
        program=PREDICT + OS + "socket.socket(socket.AF_UNIX).bind('socket')\n",
        verdict=REFUSED,
        says=("it is a socket",),
    ),
    Case(
        "device",
        "makes a device that is the disk of the host",
        program=OS
        + "for kind in (stat.S_IFBLK, stat.S_IFCHR):\n"
        + "    try:\n        os.mknod('device', kind | 0o666, os.makedev(1, 1))\n        print('GOT a device')\n"
        + "    except PermissionError:\n        print('refused')\n"
        + PREDICT,
        shows=("refused",),
    ),
    Case(
        "output-folder-replaced",
        "removes its output folder, and puts a link there",
        program=OS
        + "for act in (os.rmdir, lambda path: os.rename(path, '/app/moved'), lambda path: os.symlink('/', path)):\n"
        + "    try:\n        act('/app/output')\n        print('GOT through')\n"
        + "    except OSError:\n        print('refused')\n"
        + PREDICT,
        shows=("refused\nrefused\nrefused",),
    ),
    Case(
        "newline-in-a-name",
        "hides a second line in a name",
        program=PREDICT + OS + "open('a\\nb: 1', 'w').close()\n",
        verdict=REFUSED,
        says=(r"`a\?b: 1` is refused: its name has control characters",),
    ),
    Case(
        "escape-in-a-name",
        "hides a terminal's escape in a name",
        program=PREDICT + OS + "open('\\x1b]0;owned\\x07', 'w').close()\n",
        verdict=REFUSED,
        says=(r"`\?\]0;owned\?` is refused",),
    ),
    Case(
        "backslash-in-a-name",
        "leaves a name that leads upwards on Windows",
        program=PREDICT + OS + "open('..\\\\..\\\\autoexec.bat', 'w').close()\n",
        verdict=REFUSED,
        says=("a backslash",),
    ),
    Case(
        "bidi-in-a-name",
        "leaves a name that reads backwards",
        program=PREDICT + OS + "open('report\\u202etxt.exe', 'w').close()\n",
        verdict=REFUSED,
        says=(r"`report\?txt\.exe` is refused",),
    ),
    Case(
        "name-that-is-no-text",
        "leaves a name that is not UTF-8",
        program=PREDICT + OS + "open(b'\\xff\\xfe', 'w').close()\n",
        verdict=REFUSED,
        says=("not UTF-8",),
    ),
    Case(
        "dots-in-names",
        "leaves names that look like ways upwards, and are none",
        program=PREDICT + OS + "os.mkdir('...')\nopen('.../..x', 'w').close()\nopen('~', 'w').close()\n",
        outputs=("predictions.txt", ".../..x", "~"),
    ),
    Case(
        "folders-without-end",
        "nests folders deeper than a path can be long",
        # It stays, so that it is still there when its disk is looked at.
        program=PREDICT
        + OS
        + "for _ in range(3000):\n    os.mkdir('dd')\n    os.chdir('dd')\nimport time\ntime.sleep(600)\n",
        verdict=Verdict.DISK_LIMIT,
        says=("files of its step",),
    ),
    Case(
        "deep-folders",
        "nests folders deeper than anybody reads",
        program=PREDICT + OS + "for _ in range(100):\n    os.mkdir('dd')\n    os.chdir('dd')\n",
        verdict=REFUSED,
        says=("deep within each other",),
    ),
    Case(
        "long-names",
        "leaves the longest names there can be",
        program=PREDICT + OS + "for number in range(400):\n    open(f'{number:0255}', 'w').close()\n",
        outputs=("0" * 255,),
    ),
    Case(
        "closed-folders",
        "takes all rights from its output, so that it can be neither read nor removed",
        program=PREDICT + OS + "os.mkdir('a')\nos.mkdir('a/b')\nos.chmod('a', 0)\n"
        "os.chmod('predictions.txt', 0o4777)\nos.chmod('.', 0o555)\n",
    ),
    Case(
        "forged-scores",
        "leaves scores beside its predictions",
        program=PREDICT
        + OS
        + "for name in ('scores.json', 'scores.txt'):\n    open(name, 'w').write('{\"accuracy\": 1}')\n",
        outputs=("scores.json", "scores.txt"),
    ),
    Case(
        "forged-scores-without-predictions",
        "leaves scores and nothing to score",
        program=OS + "open('scores.json', 'w').write('{\"accuracy\": 1}')\n",
        verdict=Verdict.EXIT_STATUS,
        says=("The scoring program ended with exit status 1",),
    ),
    Case(
        "forged-results",
        "is a submission of results that brings scores, and a scoring program of its own",
        files={
            "predictions.txt": "a guess",
            "scores.json": '{"accuracy": 1}',
            "score.py": "print('GOT to run')",
            "output/scores.json": '{"accuracy": 1}',
        },
    ),
    Case(
        "forged-page",
        "leaves a page for the organizers, as if the scoring program had written it",
        program=PREDICT + OS + "open('detailed_results.html', 'w').write('<script>alert(1)</script>')\n",
        outputs=("detailed_results.html",),
    ),
    Case(
        "log-that-writes-to-terminals",
        "writes escapes, bells and zero bytes to its log",
        program=PREDICT
        + "import sys\nsys.stdout.buffer.write(b'\\x1b[2J\\x1b]0;owned\\x07\\x00\\xff\\xfe\\xed\\xa0\\x80 end\\n')\n",
        shows=(" end",),
    ),
)
