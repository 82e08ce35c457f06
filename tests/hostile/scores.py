"""Scoring programs that write what is no score: the file that decides over a leaderboard is believed in nothing."""

from __future__ import annotations

import textwrap

from case import Case

from podium.platform.lifecycle import Verdict

RESULTS = {"predictions.txt": "a guess"}


def written(name: str, tries: str, content: str | bytes, *says: str, file: str = "scores.json", **more: object) -> Case:
    """A scoring program that writes this; refused unless it says otherwise."""
    return made(name, tries, f"write({content!r}, {file!r})", *says, **more)


def made(name: str, tries: str, code: str, *says: str, **more: object) -> Case:
    """A scoring program that does this in its output folder; refused unless it says otherwise."""
    scorer = "import os\nos.chdir('/app/output')\n" + WRITE + textwrap.dedent(code) + "\n"
    how: dict[str, object] = {"verdict": Verdict.BAD_SCORES, "executors": ("docker",), **more}
    return Case(name, tries, files=RESULTS, scorer=scorer, says=says, **how)  # type: ignore[arg-type]


WRITE = """
def write(content, name='scores.json'):
    open(name, 'wb').write(content.encode('utf-8', 'surrogatepass') if isinstance(content, str) else content)
"""
GOOD = {"verdict": None, "scores": {"accuracy": 0.5}}

CASES = (
    written("nan", "has a score that compares with nothing", '{"accuracy": NaN}', "'accuracy' is nan, not a finite"),
    written("infinity", "has the best score there is", '{"accuracy": Infinity}', "not a finite number"),
    written("minus-infinity", "has the least error there is", '{"accuracy": -Infinity}', "not a finite number"),
    written("number-that-overflows", "has a number that becomes infinite", '{"accuracy": 1e999}', "not a finite"),
    written("boolean", "has true, which Python takes for 1", '{"accuracy": true}', "is True, not a finite number"),
    written("number-as-text", "has a number in quotes", '{"accuracy": "0.9"}', "'0.9', not a finite number"),
    written("null", "has nothing", '{"accuracy": null}', "is None, not a finite number"),
    written("list-for-a-number", "has a list", '{"accuracy": [1]}', "not a finite number"),
    written("object-for-a-number", "has an object", '{"accuracy": {"a": 1}}', "is an object, not a finite"),
    written("duplicate-keys", "has two scores of one name", '{"accuracy": 0, "accuracy": 1}', "twice"),
    written("no-object", "is a list", "[1, 2]", "is not an object"),
    written("huge-integer", "has an integer of 400 digits", '{"accuracy": 1' + "0" * 400 + "}", "not a finite number"),
    written(
        "endless-integer", "has an integer whose reading takes long", '{"accuracy": 1' + "0" * 5000 + "}", "no JSON"
    ),
    made("deep-nesting", "nests a hundred thousand lists", "write('[' * 100_000)", "no JSON"),
    made("deep-nesting-of-text", "nests as many in YAML", "write('[' * 100_000, 'scores.txt')", "can't be read|larger"),
    made(
        "scores-too-large",
        "writes 100 MB of scores",
        "open('scores.json', 'wb').truncate(100 << 20)",
        "more than",
        limits={"file_bytes": 1 << 30, "output_bytes": 1 << 30},
    ),
    made(
        "yaml-aliases",
        "writes 10 MB of aliases of aliases",
        "write('a: &a [x, x]\\n' + ''.join(f'b{n}: &b{n} [*a, *a]\\n' for n in range(500_000)), 'scores.txt')",
        "more than",
        limits={"file_bytes": 1 << 30, "output_bytes": 1 << 30},
    ),
    made(
        "yaml-alias-bomb",
        "writes nine aliases of nine aliases, that are a billion",
        "text = 'a0: &a0 [x]\\n'\n"
        "for n in range(1, 10):\n    text += f'a{n}: &a{n} [' + ', '.join([f'*a{n - 1}'] * 9) + ']\\n'\n"
        "write(text, 'scores.txt')",
        "uses YAML aliases",
    ),
    written(
        "yaml-object",
        "asks the reader of YAML to run a command",
        "accuracy: !!python/object/apply:os.system ['touch «canaries»/owned']",
        "'accuracy' is .*os.system', not a finite number",
        file="scores.txt",
    ),
    written("yaml-nan", "has a NaN in YAML", "accuracy: .nan", "not a finite", file="scores.txt"),
    written("yaml-boolean", "has a boolean in YAML", "accuracy: yes", "'yes', not a finite", file="scores.txt"),
    written("yaml-duplicates", "has two scores of one name", "accuracy: 0\naccuracy: 1", "twice", file="scores.txt"),
    written("no-text", "is no text", b"\xff\xfe{}", "not UTF-8"),
    written("empty-scores", "is empty", b"", "no JSON"),
    made(
        "scores-as-a-symlink",
        "points to the truth",
        "os.symlink('/app/input/ref/truth.txt', 'scores.json')",
        "it is a symbolic link",
    ),
    made(
        "scores-as-a-link-to-the-host",
        "points to a file of the host",
        "os.symlink('«canaries»/readable', 'scores.json')",
        "it is a symbolic link",
    ),
    made("scores-as-a-pipe", "is a pipe that nobody writes to", "os.mkfifo('scores.json')", "it is a named pipe"),
    made("scores-as-a-folder", "is a folder", "os.mkdir('scores.json')", "not a plain file"),
    made(
        "scores-as-a-hard-link",
        "has two names",
        "write('{\"accuracy\": 1}')\nos.link('scores.json', 'x')",
        "it is a hard link",
    ),
    written(
        "zero-byte-in-a-key",
        "has a key that a database can't hold",
        '{"accuracy": 0.5, "a\\u0000b": 1}',
        **GOOD,
    ),
    written("half-a-character-in-a-key", "has a key that is no text", '{"accuracy": 0.5, "\\ud800": 1}', **GOOD),
    written("zero-byte-in-a-message", "has it where a message names it", '{"a\\u0000": 1, "a\\u0000": 1}', "twice"),
    written(
        "half-a-character-in-a-message", "has it where a message names it", '{"\\ud800": 1, "\\ud800": 1}', "twice"
    ),
    written("half-a-character-in-a-value", "has it in a value", '{"accuracy": "\\ud800\\u0000"}', "not a finite"),
    written("long-key", "has a key of a megabyte", '{"accuracy": 0.5, "' + "k" * (1 << 18) + '": 1}', **GOOD),
    made(
        "many-keys",
        "has a hundred thousand keys",
        "import json\nwrite(json.dumps({'accuracy': 0.5, **{f'k{n:06}': n for n in range(100_000)}}))",
        verdict=None,
        scores={"accuracy": 0.5, **{f"k{number:06}": float(number) for number in range(1000)}},
    ),
    made(
        "scoring-program-that-leaves-links",
        "gives good scores, and links beside them",
        "write('{\"accuracy\": 0.5}')\nos.symlink('«canaries»/readable', 'page.html')",
        **GOOD,
        shows=("[podium: The output `page.html` is refused: it is a symbolic link",),
    ),
    made(
        "scoring-program-that-never-ends",
        "is an organizer's, and gets no more time than others",
        "import time\ntime.sleep(600)",
        "The scoring program was stopped after 3 s, the time limit",
        verdict=Verdict.TIME_LIMIT,
        limits={"wall_seconds": 3},
    ),
)
