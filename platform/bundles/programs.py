"""Whether a scoring or ingestion program says how it is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import shown
from podium.platform.bundles.yaml_source import MAX_YAML_BYTES, Mapping, YamlDocument, is_empty, load_yaml

_METADATA_NAMES = ("metadata.yaml", "metadata")


def check_program(value: Value, path: str, names: Sequence[str], read: Callable[[str, int], bytes]) -> None:
    """Warn of a program without a command: it would be found out when the first submission is scored.

    Args:
        value: The field that names the program.
        path: Where the program lies in the bundle.
        names: The program's own files.
        read: Gives a file's first bytes, by its name and how many are wanted.
    """
    name = next((name for name in _METADATA_NAMES if name in names), None)
    if name is None:
        value.warning(f"The program {shown(path)} has no metadata.yaml, so nothing says how to run it.", _advice(names))
        return
    document = load_yaml(read(name, MAX_YAML_BYTES + 1))
    _note_faults(value, f"{path}/{name}", document)
    if document.root is None and document.faults:
        return
    command = document.root.get("command") if isinstance(document.root, Mapping) else None
    if command is None or is_empty(command.value) or isinstance(command.value, Mapping):
        value.findings.warning(
            "There is no `command`, so nothing says how to run the program.",
            file=f"{path}/{name}",
            line=command.line if command else None,
            suggestion="Add a line such as `command: python3 score.py`.",
        )


def _note_faults(value: Value, file: str, document: YamlDocument) -> None:
    for fault in document.faults:
        value.findings.warning(fault.message, file=file, line=fault.line, suggestion=fault.suggestion)


def _advice(names: Sequence[str]) -> str:
    nested = next((name for name in names if name.rpartition("/")[2] in _METADATA_NAMES), None)
    if nested:
        return f"It has `{nested}`: move everything up, so that the metadata is not in a folder."
    return "Add one with a line such as `command: python3 score.py`."
