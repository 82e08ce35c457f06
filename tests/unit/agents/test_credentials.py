"""The file with the logins of registries."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from podium.agents.images.credentials import Login, login_for, read_logins, registry_of
from podium.platform.errors import InvalidInput


def file(folder: Path, content: object, *, mode: int = 0o600) -> Path:
    path = folder / "logins.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def auth(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


def test_both_forms_are_read(tmp_path: Path) -> None:
    plain = {"registry.example.org:5000": {"username": "ada", "password": "se:cret"}}
    docker = {
        "auths": {"https://registry.example.org:5000/v2/": {"auth": auth("ada:se:cret")}},
        "credStore": "ignored, for it is misspelt",
    }
    for content in (plain, docker):
        login = login_for(file(tmp_path, content), "registry.example.org:5000/team/image:1")
        assert login is not None
        assert login.auth_config() == {"username": "ada", "password": "se:cret"}


def test_identity_token_is_sent_alone(tmp_path: Path) -> None:
    content = {"auths": {"example.org": {"auth": auth("00000:"), "identitytoken": "token"}}}
    login = login_for(file(tmp_path, content), "example.org/image")
    assert login is not None
    assert login.auth_config() == {"identitytoken": "token"}


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("python:3.11", "docker.io"),
        ("codalab/codalab-legacy:py37", "docker.io"),
        ("index.docker.io/library/python", "docker.io"),
        ("localhost/image", "localhost"),
        ("localhost:5000/image:1", "localhost:5000"),
        ("Example.org/a/b@sha256:00", "example.org"),
        ("127.0.0.1:5000/a", "127.0.0.1:5000"),
    ],
)
def test_registry_of_a_name(image: str, registry: str) -> None:
    assert registry_of(image) == registry


def test_host_and_port_must_be_the_same(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        {"example.org:5000": {"username": "a", "password": "b"}, "https://index.docker.io/v1/": {"auth": auth("c:d")}},
    )
    assert login_for(path, "example.org/image") is None
    assert login_for(path, "example.org:5001/image") is None
    assert login_for(path, "other.example.org:5000/image") is None
    assert login_for(path, "team/image") == Login("c", "d")
    assert login_for(None, "team/image") is None


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InvalidInput, match=r"is open to others .* chmod 600"):
        read_logins(file(tmp_path, {}, mode=mode))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json: s3cret", "is no JSON"),
        ("[]", "no JSON object"),
        ({"auths": []}, "`auths`"),
        ({"credsStore": "desktop", "auths": {}}, "helper program"),
        ({"example.org": {"username": "ada"}}, "registry example.org"),
        ({"example.org": {"auth": "s3cret"}}, "registry example.org"),
        ({"auths": {"example.org": "s3cret"}}, "registry example.org"),
    ],
)
def test_mistakes_are_told_without_what_is_in_the_file(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_logins(file(tmp_path, content))
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_logins(tmp_path / "nothing")


def test_secrets_are_taken_out_of_texts_however_they_are_written() -> None:
    login = Login("ada", "s3cret")
    assert login.redact(f"denied for ada:s3cret, Basic {auth('ada:s3cret')}") == "denied for ada:***, Basic ***"
    assert "s3cret" not in repr(login)
