from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.host.viewer import browser, is_web_address, open_address

ADDRESS = "https://acme.lightning.force.com/lightning/setup/Flows/page?address=%2F300000000000001"


def program(folder: Path, name: str, exit_code: int = 0) -> None:
    """A program that writes down what it was called with."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/called"\nexit {exit_code}\n')
    path.chmod(0o755)


def desktop(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(folder), "DISPLAY": ":0", **more}


def test_a_desktop_opens_exactly_the_address(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open")
    assert open_address(ADDRESS, environ=desktop(tmp_path), platform="linux")
    assert (tmp_path / "called").read_text() == f"{ADDRESS}\n"


def test_a_browser_that_refuses_is_no_browser(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open", exit_code=3)
    assert not open_address(ADDRESS, environ=desktop(tmp_path), platform="linux")


@pytest.mark.parametrize("sign", ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_CONNECTION"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_over_ssh_nothing_is_opened(tmp_path: Path, sign: str, platform: str) -> None:
    for name in ("xdg-open", "open", "rundll32.exe"):
        program(tmp_path, name)
    assert browser(desktop(tmp_path, **{sign: "1"}), platform) is None


def test_without_a_desktop_nothing_is_opened(tmp_path: Path) -> None:
    program(tmp_path, "xdg-open")
    assert browser({"PATH": str(tmp_path)}, "linux") is None
    assert browser({"PATH": str(tmp_path), "WAYLAND_DISPLAY": "wayland-0"}, "linux") is not None


@pytest.mark.parametrize(
    ("name", "environ", "platform"),
    [
        ("open", {}, "darwin"),
        ("wslview", {"WSL_DISTRO_NAME": "Ubuntu"}, "linux"),
        ("rundll32.exe", {"WSL_INTEROP": "/run/WSL/1"}, "linux"),
        ("rundll32.exe", {}, "win32"),
        ("firefox", {"DISPLAY": ":0"}, "linux"),
    ],
)
def test_each_system_has_its_way(tmp_path: Path, name: str, environ: dict[str, str], platform: str) -> None:
    program(tmp_path, name)
    opener = browser({"PATH": str(tmp_path), **environ}, platform)
    assert opener is not None
    assert Path(opener[0]).name == name


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "--help",
        "https://acme.example/a b",
        "https://acme.example/\x1b[2J",
        "https://acme.example/`id`",
        "https://",
        "http://[::1",
        "/lightning/setup/Flows/home",
        "",
    ],
)
def test_only_web_addresses_reach_another_program(tmp_path: Path, text: str) -> None:
    program(tmp_path, "xdg-open")
    assert not is_web_address(text)
    assert not open_address(text, environ=desktop(tmp_path), platform="linux")
    assert not (tmp_path / "called").exists()
