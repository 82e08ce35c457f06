"""The images that Podium makes, used the way that programs use them."""

from __future__ import annotations

import re

import pytest

from podium.agents.images.build import build_images
from podium.platform.jobs import MIB
from podium.tasks.programs import Image

from .conftest import SMALL, Runner

pytestmark = pytest.mark.docker

STANDARD = """
import asyncio, bz2, ctypes, decimal, getpass, hashlib, json, lzma, sqlite3, ssl, subprocess, zlib, zoneinfo
print(getpass.getuser(), subprocess.check_output(["bash", "-c", "echo bash"], text=True).strip())
"""
SCIENTIFIC = """
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot, numpy, numpy.testing, pandas, PIL.Image, psutil, scipy.stats, sklearn, yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
matplotlib.pyplot.plot([1, 2]); matplotlib.pyplot.savefig("/tmp/x.png")
x = numpy.arange(20.0).reshape(-1, 1)
model = RandomForestClassifier(5, random_state=0).fit(x, x[:, 0] > 9)
print(roc_auc_score(x[:, 0] > 9, model.predict(x)), pandas.DataFrame({"a": x[:, 0]}).a.sum())
"""


def test_second_build_finds_both_there(python_image: str) -> None:
    said: list[str] = []
    built = build_images(said.append)
    assert [image.built for image in built] == [False, False]
    assert [image.name.partition(":")[0] for image in built] == ["podium/python", "podium/scientific"]
    assert sum(image.seconds for image in built) < 2
    assert said == [f"{image.name} is already built." for image in built]


def test_python_image_has_the_standard_library(run: Runner) -> None:
    ran = run.python(STANDARD)
    assert ran.text() == "nobody bash\n", ran.text("stderr")


@pytest.mark.parametrize("command", ["python", "python3", "/usr/bin/python3"])
def test_python_has_the_names_that_bundles_use(run: Runner, command: str) -> None:
    assert run(command, "-c", "print(1)").text() == "1\n"


def test_nothing_of_the_host_is_in_its_configuration(run: Runner) -> None:
    ran = run("ls", "/etc")
    assert not {"shadow", "ssh", "hosts.allow", "apt", "cron.d"} & set(ran.text().split())
    assert run("cat", "/etc/passwd").text().count("\n") == 2


def test_nothing_in_it_is_set_user_id_or_writable(run: Runner) -> None:
    found = run("find", "/", "-xdev", "(", "-perm", "/6000", "-o", "-perm", "-0002", ")", "!", "-type", "l")
    assert set(found.text().split()) <= {"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"}


def test_compiled_files_are_valid_as_they_lie_in_the_image(run: Runner) -> None:
    ran = run("python3", "-v", "-c", "import json, argparse, subprocess")
    assert not re.search(r"code object from .*\.py'", ran.text("stderr"))
    assert "argparse.cpython-3" in ran.text("stderr")


def test_scientific_image_scores(run: Runner) -> None:
    name = build_images(lambda _: None)[1].name
    limits = SMALL.model_copy(update={"memory_bytes": 1024 * MIB})
    ran = run.python(SCIENTIFIC, image=Image(name, name, name), limits=limits)
    assert ran.text() == "1.0 190.0\n", ran.text("stderr")
