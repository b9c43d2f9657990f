from __future__ import annotations

import base64
from pathlib import Path

import pytest

from syncerr_tui.errors import MachineError
from syncerr_tui.host.clipboard import OSC52_LIMIT, copy, osc52

SSH = {"SSH_CONNECTION": "x", "TERM": "xterm-256color", "PATH": ""}


def payload_of(sequence: str) -> str:
    start = sequence.index("52;c;") + 5
    return base64.b64decode(sequence[start : sequence.index("\x07")]).decode()


def test_over_ssh_the_terminal_is_asked(tmp_path: Path) -> None:
    written: list[str] = []
    message = copy("0015g00000Qr7TbAAJ", environ=SSH, write=written.append, fallback=tmp_path / "copied.txt")
    assert payload_of(written[0]) == "0015g00000Qr7TbAAJ"
    assert "terminal" in message.line
    assert not (tmp_path / "copied.txt").exists()


def test_tmux_gets_both_forms_and_screen_gets_pieces() -> None:
    in_tmux = osc52("héllo", {"TMUX": "/tmp/x"})
    assert in_tmux is not None
    assert in_tmux.count("52;c;") == 2
    assert "\x1bPtmux;\x1b\x1b]52" in in_tmux
    in_screen = osc52("x" * 300, {"TERM": "screen"})
    assert in_screen is not None
    pieces = in_screen.split("\x1b\\")
    assert max(len(piece) for piece in pieces) <= 78
    assert payload_of("".join(piece.removeprefix("\x1bP") for piece in pieces)) == "x" * 300


def test_what_no_clipboard_takes_goes_to_a_private_file(tmp_path: Path) -> None:
    written: list[str] = []
    target = tmp_path / "deep" / "copied.txt"
    message = copy("m" * OSC52_LIMIT, environ=SSH, write=written.append, fallback=target)
    assert written == []
    assert message.path == target
    assert target.read_text() == "m" * OSC52_LIMIT
    assert target.stat().st_mode & 0o077 == 0


def test_no_clipboard_and_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="too long"):
        copy("m" * OSC52_LIMIT, environ=SSH, write=lambda _: None, fallback=tmp_path / "file" / "x")


def test_on_the_own_machine_the_systems_tool_goes_first(tmp_path: Path) -> None:
    tool = tmp_path / "xclip"
    tool.write_text(f"#!/bin/sh\ncat > {tmp_path}/clip\n")
    tool.chmod(0o755)
    written: list[str] = []
    environ = {"DISPLAY": ":0", "PATH": f"{tmp_path}:/usr/bin:/bin"}
    message = copy("text", environ=environ, write=written.append, fallback=tmp_path / "x")
    assert (tmp_path / "clip").read_text() == "text"
    assert written == []
    assert message.line == "Copied to the clipboard"


def test_a_tool_that_fails_is_no_clipboard(tmp_path: Path) -> None:
    tool = tmp_path / "xclip"
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    written: list[str] = []
    copy(
        "text",
        environ={"DISPLAY": ":0", "PATH": str(tmp_path)},
        write=written.append,
        fallback=tmp_path / "x",
    )
    assert len(written) == 1


def tmux(folder: Path, *, passes: str, features: str, loads: int = 0) -> dict[str, str]:
    """A tmux that says these things of itself, and keeps what it is given."""
    program = folder / "tmux"
    program.write_text(
        "#!/bin/sh\n"
        f'case "$1" in show-options) echo {passes};; display-message) echo "{features}";;\n'
        f"load-buffer) cat > {folder}/clip; exit {loads};; esac\n"
    )
    program.chmod(0o755)
    return {**SSH, "TMUX": "/tmp/x,1,0", "TMUX_PANE": "%1", "PATH": f"{folder}:/usr/bin:/bin"}


def test_tmux_takes_it_itself_where_it_passes_it_on(tmp_path: Path) -> None:
    environ = tmux(tmp_path, passes="external", features="256,clipboard,RGB")
    written: list[str] = []
    message = copy("héllo", environ=environ, write=written.append, fallback=tmp_path / "x")
    assert (tmp_path / "clip").read_text(encoding="utf-8") == "héllo"
    assert (written, message.doubt) == ([], "")


@pytest.mark.parametrize(
    ("passes", "features", "loads"),
    [("off", "clipboard", 0), ("on", "256,RGB", 0), ("on", "", 0), ("external", "clipboard", 1)],
)
def test_where_tmux_may_keep_it_the_terminal_is_asked_and_that_is_said(
    tmp_path: Path, passes: str, features: str, loads: int
) -> None:
    environ = tmux(tmp_path, passes=passes, features=features, loads=loads)
    written: list[str] = []
    message = copy("text", environ=environ, write=written.append, fallback=tmp_path / "x")
    assert payload_of(written[0]) == "text"
    assert message.doubt == "If nothing arrives: tmux set -s set-clipboard on"
