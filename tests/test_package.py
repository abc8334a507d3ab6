"""What the package says of itself holds: versions, extras, licences, and who is told what."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import tinygrad_rnn as tg
from tinygrad_rnn.__main__ import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[Requirement]] = {
    name: list(map(Requirement, each)) for name, each in PROJECT["optional-dependencies"].items()
}
FOR_DEVELOPERS = {"test", "docs"}
FOR_USERS = EXTRAS.keys() - FOR_DEVELOPERS - {"all"}
CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

# How metadata older than licence expressions calls a licence.
ALSO_CALLED = {
    "Apache-2.0": ("Apache Software License",),
    "BSD-3-Clause": ("BSD License", "BSD-3"),
    "MIT": ("MIT License",),
    "PSF-2.0": ("Python Software Foundation License",),
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# -- versions --------------------------------------------------------------------------------------


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["dynamic"]
    assert "version" not in PROJECT
    assert distribution("tinygrad_rnn").version == tg.__version__
    assert "version" not in yaml.safe_load(text("CITATION.cff"))


def test_the_command_tells_the_version(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["tinygrad-rnn", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"tinygrad-rnn {tg.__version__}\n"
    (script,) = entry_points(group="console_scripts", name="tinygrad-rnn")
    assert script.load() is main


def pythons() -> set[str]:
    told = "Programming Language :: Python :: "
    return {c.removeprefix(told) for c in PROJECT["classifiers"] if re.match(rf"{told}3\.", c)}


def matrix() -> Iterator[tuple[str, str]]:
    """The Pythons and NumPys that the workflow runs the suite on."""
    told = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["suite"]["strategy"]["matrix"]
    leave_out = {(each["python"], each["numpy"]) for each in told["exclude"]}
    for pair in ((p, n) for p in told["python"] for n in told["numpy"]):
        if pair not in leave_out:
            yield pair
    yield from ((each["python"], each["numpy"]) for each in told["include"])


def test_every_python_that_is_named_is_run() -> None:
    needs = SpecifierSet(PROJECT["requires-python"])
    assert pythons() == {python for python, _ in matrix()}
    assert all(python in needs for python in pythons())
    oldest = min(int(python.split(".")[1]) for python in pythons())
    assert f"3.{oldest - 1}" not in needs
    said = text("docs/dependencies.md")
    assert f"Python 3.{oldest} or later" in said
    assert f"Python 3.{oldest} to 3.{oldest + len(pythons()) - 1}" in said


def test_the_oldest_and_the_newest_numpy_are_run() -> None:
    (numpy,) = (r for r in map(Requirement, PROJECT["dependencies"]) if r.name == "numpy")
    for python in pythons():
        run = {numpy for one, numpy in matrix() if one == python}
        assert "newest" in run
        (old,) = run - {"newest"}
        assert old in numpy.specifier
    oldest = {numpy for _, numpy in matrix()} - {"newest"}
    assert str(numpy.specifier) == ">=2"
    assert any(version.startswith("2.0.") for version in oldest)


def test_the_workflow_runs_what_ci_runs() -> None:
    jobs = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    scripts = {found for command in commands for found in re.findall(r"\.ci/\w+", command)}
    assert scripts == {".ci/run", ".ci/suite", ".ci/system"}
    everything = set(re.findall(r"^(\.ci/\w+)", text(".ci/run"), re.M))
    assert {".ci/system", ".ci/suite", ".ci/package"} <= everything
    assert all((ROOT / script).stat().st_mode & 0o100 for script in scripts)


# -- what is installed beside it -------------------------------------------------------------------


def test_all_is_everything_that_a_user_may_want() -> None:
    (everything,) = EXTRAS["all"]
    assert everything.name == "tinygrad_rnn"
    assert everything.extras == FOR_USERS


def test_what_extras_install_is_installed_for_the_tests() -> None:
    tested = {canonicalize_name(r.name) for r in EXTRAS["test"]}
    wanted = {canonicalize_name(r.name) for extra in FOR_USERS for r in EXTRAS[extra]}
    assert wanted <= tested


def licences() -> dict[str, tuple[set[str], str]]:
    """By whom each package is installed, and its licence, as the page has them."""
    rows = re.findall(r"^\| \[([\w-]+)\]\(\S+\) \| (.*?) \| .*? \| (.*?) \|$",
                      text("docs/dependencies.md"), re.M)  # fmt: skip
    return {name: (set(re.findall(r"`(\w+)`", by)) or {"itself"}, said) for name, by, said in rows}


def test_every_dependency_is_named_with_who_installs_it() -> None:
    needed: dict[str, set[str]] = {}
    for requirement in map(Requirement, PROJECT["dependencies"]):
        needed.setdefault(requirement.name, set()).add("itself")
    for extra in FOR_USERS:
        for requirement in EXTRAS[extra]:
            needed.setdefault(requirement.name, set()).add(extra)
    assert {name: by for name, (by, _) in licences().items()} == needed


def licence_of(package: Distribution) -> str:
    """All that the metadata of a package says of its licence."""
    told = package.metadata
    classifiers = [c for c in told.get_all("Classifier") or () if c.startswith("License")]
    return " ".join([*(told.get_all("License-Expression") or ()),
                     *(told.get_all("License") or ()), *classifiers])  # fmt: skip


@pytest.mark.parametrize("name", licences())
def test_licences_are_those_of_the_installed_packages(name: str) -> None:
    try:
        said = licence_of(distribution(name))
    except PackageNotFoundError:
        needed = [r for r in map(Requirement, PROJECT["dependencies"]) if r.name == name]
        assert needed, f"{name} is of an extra: install .[test]"
        assert not needed[0].marker.evaluate()  # type: ignore[union-attr]  # for another Python
        return
    for licence in licences()[name][1].split(" AND "):
        assert any(one in said for one in (licence, *ALSO_CALLED.get(licence, ()))), said


def test_licences_are_told_apart() -> None:
    """A licence that is not a package's own is not found in what it says."""
    assert "GPL" not in licence_of(distribution("numpy"))
    assert "EPL-2.0" not in licence_of(distribution("graphviz"))


def test_licence_files_are_in_the_package() -> None:
    ours, *_ = PROJECT["license"].split(" AND ")  # the others are of fonts
    assert yaml.safe_load(text("CITATION.cff"))["license"] == ours
    for name in PROJECT["license-files"]:
        assert text(name).strip()


# -- what people are told --------------------------------------------------------------------------

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_change_log_keeps_its_form() -> None:
    versions = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", CHANGES, re.M)
    assert versions[0] == ("Unreleased", "")
    assert len(versions) == len(re.findall(r"^## ", CHANGES, re.M))
    for version, day in versions[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    assert set(re.findall(r"^### (.*)$", CHANGES, re.M)) <= KINDS
    if len(versions) == 1:
        assert f"this is what {tg.__version__} will be" in CHANGES
    else:
        assert versions[1][0] == tg.__version__


def test_every_command_is_in_the_change_log() -> None:
    from test_cli import commands

    told = re.sub(r"\s+", " ", CHANGES)
    assert all(f"`{name}`" in told for name in commands() if name)


def test_hooks_run_what_is_installed_for_the_tests() -> None:
    (repository,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    installed = {r.name for r in EXTRAS["test"]}
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].split()[0] in installed
