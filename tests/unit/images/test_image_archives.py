"""Images in tars: what is taken, and what is said about the others."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saved_images import Entry, SavedImage, file_entry, link_entry, sha256, tar_of

from podium.platform.image_archives import (
    ImageLimits,
    architecture_of,
    is_image,
    is_image_name,
    read_image_archive,
)
from podium.platform.image_layouts import ImageRefused


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", ["docker", "oci", "both"])
def test_both_layouts_are_read_plain_and_packed(tmp_path: Path, *, layout: str, packed: bool) -> None:
    saved = SavedImage()
    path = saved.write(tmp_path / "image.tar", layout=layout, packed=packed)
    image = read_image_archive(path, architecture="amd64")
    assert image.id == saved.id
    assert image.config == saved.config()
    assert (image.architecture, image.command) == ("amd64", ("/bin/predict",))
    assert [layer.diff_id for layer in image.layers] == [sha256(layer) for layer in saved.layers]
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    for layer, tar in zip(image.layers, saved.layers, strict=True):
        assert content[layer.entry.offset : layer.entry.offset + layer.entry.size] == tar


def test_several_tags_of_one_image_are_one_image(tmp_path: Path) -> None:
    saved = SavedImage(tags=["model:1", "model:latest", "podium/python:3.11"])
    assert read_image_archive(saved.write(tmp_path / "image.tar")).id == saved.id


def test_layer_that_is_there_twice_may_be_a_link(tmp_path: Path) -> None:
    layer = tar_of([file_entry("same.txt", b"same")])
    saved = SavedImage(layers=[layer, layer])
    manifest = [{"Config": f"{saved.id}.json", "RepoTags": None, "Layers": ["a/layer.tar", "b/layer.tar"]}]
    entries = [
        file_entry(f"{saved.id}.json", saved.config()),
        file_entry("a/layer.tar", layer),
        link_entry("b/layer.tar", "../a/layer.tar"),
        file_entry("manifest.json", json.dumps(manifest).encode()),
    ]
    (tmp_path / "image.tar").write_bytes(tar_of(entries))
    first, second = read_image_archive(tmp_path / "image.tar").layers
    assert first.entry == second.entry


def test_attestations_and_platforms_that_were_not_saved_are_no_images(tmp_path: Path) -> None:
    saved = SavedImage()
    attestation = b'{"layers": []}'
    more = [
        {"digest": f"sha256:{'0' * 64}", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": f"sha256:{sha256(attestation)}", "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    entries = [*saved.oci_entries(more=more), file_entry(f"blobs/sha256/{sha256(attestation)}", attestation)]
    (tmp_path / "image.tar").write_bytes(tar_of(entries))
    assert read_image_archive(tmp_path / "image.tar").id == saved.id


def test_index_in_an_index_is_followed(tmp_path: Path) -> None:
    saved = SavedImage()
    entries = saved.oci_entries()
    inner = entries[1][1]
    outer = {
        "manifests": [{"digest": f"sha256:{sha256(inner)}", "mediaType": "application/vnd.oci.image.index.v1+json"}]
    }
    entries[1] = file_entry("index.json", json.dumps(outer).encode())
    entries.append(file_entry(f"blobs/sha256/{sha256(inner)}", inner))
    (tmp_path / "image.tar").write_bytes(tar_of(entries))
    assert read_image_archive(tmp_path / "image.tar").id == saved.id


def refusal(path: Path, **how: Any) -> ImageRefused:  # noqa: ANN401 -- the reader's own arguments
    with pytest.raises(ImageRefused) as refused:
        read_image_archive(path, **how)
    return refused.value


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    saved = SavedImage(architecture="arm64", command={}, diff_ids=[f"sha256:{'1' * 64}"])
    refused = refusal(saved.write(tmp_path / "image.tar"), architecture="amd64")
    assert len(refused.faults) == 3
    assert "it is made for linux/arm64, and is run on linux/amd64" in str(refused)
    assert "neither ENTRYPOINT nor CMD" in str(refused)
    assert "it has 2 layers, and its configuration names 1" in str(refused)


WRONG: dict[str, tuple[SavedImage, str]] = {
    "windows": (SavedImage(os="windows"), "made for windows/amd64"),
    "no architecture": (SavedImage(architecture=None), "made for linux/nothing"),
    "no layers said": (SavedImage(diff_ids=["latest", "first"]), "does not say which layers"),
    "odd volume": (
        SavedImage(command={"Cmd": ["a"], "Volumes": {"/app/output/more": {}}}),
        "volume '/app/output/more'",
    ),
    "volume at the root": (SavedImage(command={"Cmd": ["a"], "Volumes": {"/": {}}}), "volume '/'"),
    "relative folder": (SavedImage(command={"Cmd": ["a"], "WorkingDir": "srv"}), "WORKDIR 'srv' is no absolute path"),
    "zero byte": (SavedImage(command={"Cmd": ["a"], "Env": ["A=b\0c"]}), "has a zero byte in it"),
    "relative volume": (SavedImage(command={"Cmd": ["a"], "Volumes": {"../x": {}}}), "volume '../x'"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("layout", ["docker", "oci"])
def test_wrong_configurations(tmp_path: Path, name: str, layout: str) -> None:
    saved, says = WRONG[name]
    assert says in str(refusal(saved.write(tmp_path / "image.tar", layout=layout)))


def changed(entries: list[Entry], name: str, content: bytes | None) -> list[Entry]:
    """The entries with another content for one, or without it."""
    kept = [(entry, data) for entry, data in entries if entry.name != name]
    return kept if content is None else [*kept, file_entry(name, content)]


def _two_images(saved: SavedImage) -> list[Entry]:
    other = SavedImage(command={"Cmd": ["other"]}, tags=["other:1"])
    manifest = [
        {"Config": f"{one.id}.json", "RepoTags": one.tags, "Layers": [f"{sha256(la)}/layer.tar" for la in one.layers]}
        for one in (saved, other)
    ]
    entries = [*saved.docker_entries(), file_entry(f"{other.id}.json", other.config())]
    return changed(entries, "manifest.json", json.dumps(manifest).encode())


BROKEN: dict[str, tuple[Callable[[SavedImage], list[Entry]], str]] = {
    "two images": (_two_images, r"it holds 2 images (model:1, other:1), and must hold one"),
    "none": (lambda one: changed(one.docker_entries(), "manifest.json", b"[]"), "it holds 0 images"),
    "a root file system": (lambda _: [file_entry("bin/sh", b"x")], "`docker export` writes another kind of tar"),
    "no JSON": (lambda one: changed(one.docker_entries(), "manifest.json", b"{"), "`manifest.json` is no JSON"),
    "deep JSON": (
        lambda one: changed(one.docker_entries(), "manifest.json", b"[" * 100_000),
        "`manifest.json` is no JSON",
    ),
    "no configuration": (lambda one: changed(one.docker_entries(), f"{one.id}.json", None), "is missing, or too large"),
    "another configuration": (
        lambda one: changed(one.docker_entries(), f"{one.id}.json", b"{}"),
        "is not what its name says",
    ),
    "no layer": (
        lambda one: changed(one.docker_entries(), f"{sha256(one.layers[0])}/layer.tar", None),
        "/layer.tar` is missing",
    ),
    "a path out": (lambda one: [*one.docker_entries(), file_entry("../../etc/passwd", b"")], "is no name for a file"),
    "an absolute path": (lambda one: [*one.docker_entries(), file_entry("/etc/passwd", b"")], "is no name for a file"),
    "a layer twice": (
        lambda one: [*one.docker_entries(), file_entry(f"{sha256(one.layers[0])}/layer.tar", b"other")],
        "is in it twice",
    ),
    "many layers": (lambda _: SavedImage(layers=[tar_of([])] * 128).docker_entries(), "it has 128 layers"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tars(tmp_path: Path, name: str) -> None:
    make, says = BROKEN[name]
    (tmp_path / "image.tar").write_bytes(tar_of(make(SavedImage())))
    assert says in str(refusal(tmp_path / "image.tar"))


def test_links_out_of_the_tar_lead_nowhere(tmp_path: Path) -> None:
    saved = SavedImage()
    entries = changed(saved.docker_entries(), f"{saved.id}.json", None)
    entries.append(link_entry(f"{saved.id}.json", "/etc/passwd"))
    (tmp_path / "image.tar").write_bytes(tar_of(entries))
    assert "is missing, or too large" in str(refusal(tmp_path / "image.tar"))


@pytest.mark.parametrize("packed", [False, True])
def test_truncated_file(tmp_path: Path, *, packed: bool) -> None:
    whole = SavedImage().write(tmp_path / "image.tar", packed=packed)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert "end is missing" in str(refusal(whole)) or "manifest.json" in str(refusal(whole))


def test_other_packings_are_named(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(b"\xfd7zXZ\0" + bytes(1000))
    assert "packed with xz" in str(refusal(tmp_path / "image.tar"))


def test_size_is_counted_unpacked(tmp_path: Path) -> None:
    saved = SavedImage(layers=[tar_of([file_entry("zeros", bytes(3_000_000))])])
    path = saved.write(tmp_path / "image.tar.gz", packed=True)
    assert path.stat().st_size < 100_000
    assert "more than 1000000 bytes" in str(refusal(path, limits=ImageLimits(bytes=1_000_000)))


def test_what_looks_like_an_image(tmp_path: Path) -> None:
    assert is_image(SavedImage().write(tmp_path / "image"))
    assert is_image(SavedImage().write(tmp_path / "image.bin", layout="oci", packed=True))
    (tmp_path / "results.tar").write_bytes(tar_of([file_entry("results.csv", b"1")]))
    assert not is_image(tmp_path / "results.tar")
    (tmp_path / "results.csv").write_bytes(b"1,2,3\n")
    assert not is_image(tmp_path / "results.csv")


def test_names() -> None:
    assert all(map(is_image_name, ("a.tar", "b.TAR.GZ", "c.tgz")))
    assert not any(map(is_image_name, ("a.zip", "tar", "b.tar.zip", "c.gz")))
    assert [architecture_of(one) for one in ("x86_64", "aarch64", "riscv64")] == ["amd64", "arm64", "riscv64"]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:  # noqa: ANN401 -- JSON
    """JSON with something else at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 -- JSON
    """Where there is something in JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@pytest.mark.parametrize("layout", ["docker", "both", "oci"])
@pytest.mark.parametrize("new", [None, 5, "text", [], {}, [5], [[]], {"a": 5}, True, [{"digest": 5}]])
def test_whatever_stands_in_the_json_is_read_or_refused(tmp_path: Path, layout: str, new: object) -> None:
    saved = SavedImage(command={"Cmd": ["a"], "Volumes": {"/data/": {}}})
    ways = {"docker": saved.docker_entries, "oci": saved.oci_entries}
    entries = ways[layout]() if layout in ways else saved.oci_entries(with_docker=True)
    for at, (entry, content) in enumerate(entries):
        if content[:1] not in {b"{", b"["}:
            continue
        for place in places(json.loads(content)):
            changed_json = json.dumps(replaced(json.loads(content), place, new)).encode()
            name = entry.name
            mutated = [*entries[:at], file_entry(name, changed_json), *entries[at + 1 :]]
            if sha256(content) in name:
                # Under its new name, with all that name it changed, or nothing of it would be looked at.
                old_name, new_name = sha256(content).encode(), sha256(changed_json).encode()
                mutated = [
                    file_entry(one.name.replace(old_name.decode(), new_name.decode()), data.replace(old_name, new_name))
                    for one, data in mutated
                ]
            path = tmp_path / "image.tar"
            path.write_bytes(tar_of(mutated))
            with contextlib.suppress(ImageRefused):
                assert read_image_archive(path, architecture="amd64").command


def test_even_what_can_not_be_understood_has_a_reason(tmp_path: Path) -> None:
    for content in (b"null", b"5", b"[5]", b'[{"Config": null}]'):
        entries = changed(SavedImage().docker_entries(), "manifest.json", content)
        (tmp_path / "image.tar").write_bytes(tar_of(entries))
        assert all(refusal(tmp_path / "image.tar").faults)
