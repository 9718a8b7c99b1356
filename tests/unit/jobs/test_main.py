"""`python -m jobs`."""

import runpy
import sys

import pytest

from jobs.runtime import software_version


def test_the_package_run_as_a_module_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["clinsum", "--version"])
    monkeypatch.setattr("jobs.cli.keep_little", lambda: None)  # it would hold for all that is tested after
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("jobs", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == software_version()
