"""Submissions whose metadata is the attack: what it says to run, and how it says it."""

from __future__ import annotations

import json

from case import PREDICT, Case

from podium.platform.lifecycle import Verdict

DOCKER = ("docker",)


def metadata(name: str, tries: str, content: str | bytes, *says: str, file: str = "metadata.yaml") -> Case:
    """Metadata that is refused."""
    return Case(
        name,
        tries,
        files={file: content, "run.py": PREDICT},
        verdict=Verdict.BAD_SUBMISSION,
        says=says,
        executors=DOCKER,
    )


CASES = (
    Case(
        "shell-in-a-command",
        "writes a shell's words into its command",
        program=(
            "import os, sys\nprint(sys.argv)\n"
            + PREDICT
            + "if os.path.exists('/app/output/owned'):\n    print('GOT a shell')\n"
        ),
        command="python3 $program/run.py «marker» $(touch /app/output/owned) `id`; touch /app/output/owned > x | sh &&",
        shows=("'$(touch', '/app/output/owned)', '`id`;', 'touch', '/app/output/owned', '>', 'x', '|', 'sh', '&&'",),
        lacks=("owned", "x"),
    ),
    Case(
        "engine-options-in-a-command",
        "writes the engine's options into its command",
        program=PREDICT,
        command="--privileged --volume=/:/host python3 $program/run.py «marker»",
        verdict=Verdict.EXIT_STATUS,
        says=("no command `--privileged`",),
    ),
    Case(
        "long-command",
        "has a command of a megabyte's kind",
        program=PREDICT,
        command="python3 $program/run.py «marker» " + "x" * 60_000,
    ),
    Case(
        "command-without-end",
        "has a command of many megabytes",
        program=PREDICT,
        command="python3 $program/run.py «marker» " + "x" * (1 << 21),
        verdict=Verdict.BAD_SUBMISSION,
        says=("larger than",),
        executors=DOCKER,
    ),
    Case(
        "command-that-grows",
        "has a command that grows when its variables are put in",
        program=PREDICT,
        command="python3 $program/run.py «marker» " + "$submission_program" * 3000,
    ),
    Case(
        "huge-argv",
        "has more arguments than the kernel likes",
        program=PREDICT,
        command="python3 $program/run.py «marker» " + "x " * 30_000,
        verdict=Verdict.BAD_SUBMISSION,
        says=("4096 words",),
    ),
    Case(
        "many-arguments",
        "has as many as it may",
        program=PREDICT,
        command="python3 $program/run.py «marker» " + "x " * 4000,
    ),
    Case(
        "zero-byte-in-a-command",
        "has a command that no system call takes",
        program=PREDICT,
        command="python3 $program/run.py a\0b",
        verdict=Verdict.BAD_SUBMISSION,
        says=("zero byte",),
    ),
    Case(
        "half-a-character-in-a-command",
        "has a command that is no text",
        program=PREDICT,
        command="python3 $program/run.py \ud800",
        verdict=Verdict.BAD_SUBMISSION,
        says=("half a character",),
    ),
    Case(
        "empty-command",
        "has a command of no name",
        program=PREDICT,
        command="''",
        verdict=Verdict.EXIT_STATUS,
        says=("could not be started",),
    ),
    Case(
        "thousands-of-commands",
        "has a list of commands that each start a container",
        files={"metadata.yaml": json.dumps({"command": ["true"] * 5000})},
        limits={"wall_seconds": 3},
        verdict=Verdict.TIME_LIMIT,
        says=("after 3 s, the time limit",),
    ),
    Case(
        "two-metadata",
        "has two files of metadata that differ; the first counts",
        files={
            "metadata.yaml": "command: python3 $program/run.py",
            "metadata": "command: python3 $program/other.py",
            "run.py": PREDICT,
            "other.py": "print('GOT to run')",
        },
        executors=DOCKER,
    ),
    metadata("metadata-that-is-binary", "is no text", b"\x7fELF\x00\xff", "no readable YAML"),
    metadata("metadata-too-large", "is megabytes of YAML", "a: b\n" * 500_000, "larger than"),
    metadata("metadata-too-deep", "nests fifty thousand lists", "command: " + "[" * 50_000, "no readable YAML"),
    metadata(
        "metadata-alias-bomb",
        "has a billion words in ten lines",
        "a0: &a0 [x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
        + "command: *a9\n",
        "not a line of text",
    ),
    metadata(
        "metadata-object",
        "asks the reader of YAML to run a command",
        "command: !!python/object/apply:os.system ['touch «canaries»/owned']",
        "no readable YAML",
    ),
    metadata("metadata-number", "has a number for a command", "command: 17", "not a line of text"),
    metadata("metadata-list", "is a list", "- command\n", "not a mapping"),
    metadata("open-quote", "has a quote that is not closed", "command: python3 'run.py", "can't be split"),
)
