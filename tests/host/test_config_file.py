"""A filter is kept in `config.toml`, and every line that a person wrote there stays as it is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.host.config import filter_name_trouble, read_config, save_filter

WRITTEN = """# my configuration
theme = "dark"      # always
columns.narrow = ["object",   # first
                  "code"]

[filters]           # what I look for
# every night
night = 'code:none'

  [keys]
refresh = ["r", "f5"]
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"SYNCERR_HOME": str(tmp_path)}


def written(environ: dict[str, str], text: str) -> Path:
    path = Path(environ["SYNCERR_HOME"]) / "config" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=50),
    st.sampled_from(["object:Order", '"too many" -age:>2d', "/fl.w\\(x/", "saved:night"]),
)
def test_any_name_is_kept_or_refused_and_the_rest_stays(
    environ: dict[str, str], name: str, text: str
) -> None:
    path = written(environ, WRITTEN)
    if filter_name_trouble(name):
        with pytest.raises(BadInputError):
            save_filter(name, text, environ)
        assert path.read_text(encoding="utf-8") == WRITTEN
        return
    assert save_filter(name, text, environ) == path
    after = path.read_text(encoding="utf-8")
    assert [
        line for line in WRITTEN.splitlines() if line not in after.splitlines() and "night =" not in line
    ] == []
    assert dict(read_config(environ).filters) == {"night": "code:none", name: text}


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# nothing but a comment",
        'theme = "dark"\n',
        '[keys]\nrefresh = "f5"\n',
        'filters = {night = "code:none"}\n',
        'filters.night = "code:none" # dotted\ntheme = "dark"\n',
        '[filters]\r\nnight = "code:none"\r\n\r\n[keys]\r\n',
        "\ufeff[filters]\n",
    ],
)
def test_every_way_to_write_the_file_is_gone_on_with(environ: dict[str, str], before: str) -> None:
    path = written(environ, before)
    known = tomllib.loads(before.lstrip("\ufeff")).get("filters", {})
    save_filter("late orders", "object:Order", environ)
    assert dict(read_config(environ).filters) == {**known, "late orders": "object:Order"}
    after = path.read_bytes().decode("utf-8")
    kept = [line for line in before.lstrip("\ufeff").split("\n") if not line.startswith("filters = {")]
    assert [line for line in kept if line not in after.split("\n")] == []


def test_a_name_that_is_there_gets_the_new_filter_and_keeps_its_comment(environ: dict[str, str]) -> None:
    path = written(environ, '[filters]\nnight = "code:none"  # mine\n')
    save_filter("night", "object:Order", environ)
    assert path.read_text() == '[filters]\nnight = "object:Order"  # mine\n'


def test_without_a_file_there_is_one_for_nobody_else(environ: dict[str, str]) -> None:
    path = save_filter("night", "code:none", environ)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_config(environ).filters == {"night": "code:none"}


def test_a_link_stays_a_link_and_rights_stay(environ: dict[str, str], tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text('theme = "dark"\n')
    real.chmod(0o640)
    link = tmp_path / "config" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(real)
    save_filter("night", "code:none", environ)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert 'night = "code:none"' in real.read_text()


@pytest.mark.parametrize("before", ["theme = ", 'theme = "pink"\n', "[filters]\nx = 1\n", "filters = 3\n"])
def test_a_file_with_a_mistake_is_left_alone(environ: dict[str, str], before: str) -> None:
    path = written(environ, before)
    with pytest.raises(BadInputError, match=r"config\.toml"):
        save_filter("night", "code:none", environ)
    assert path.read_text() == before


def test_a_disk_that_takes_nothing_is_told(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(environ, WRITTEN)

    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MachineError, match="No space left on device"):
        save_filter("night2", "code:none", environ)
    assert path.read_text() == WRITTEN
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]
