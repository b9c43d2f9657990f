"""The folders of the program, also where a person has named strange ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.errors import BadInputError
from syncerr_tui.host.paths import Paths, org_notes
from syncerr_tui.salesforce.auth.secrets import private_text


def test_one_folder_for_everything() -> None:
    paths = Paths.of({"SYNCERR_HOME": "~/here"})
    assert paths.config == Path.home() / "here" / "config"
    assert {path.parent for path in (paths.state, paths.log, paths.cache)} == {Path.home() / "here"}


def test_the_home_of_a_user_nobody_knows_is_a_path_like_any_other(tmp_path: Path) -> None:
    assert Paths.of({"SYNCERR_HOME": "~nobody-knows/x"}).log == Path("~nobody-knows/x/log")
    with pytest.raises(BadInputError):
        org_notes({"SYNCERR_NOTES": "~nobody-knows/x", "SYNCERR_HOME": str(tmp_path)})
    with pytest.raises(BadInputError):
        private_text(Path("~nobody-knows/x"), "key")
