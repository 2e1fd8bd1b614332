"""What an ordinary person could have written is not the machine's word, whatever it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.machine_files import (
    VARIABLE,
    NotTheMachines,
    read_machine_file,
    redirected,
    require_the_machines,
    strangers,
)
from sync.policies import policies

_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
NOBODY = 65534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policies.json"
    path.write_text('{"lan_sharing": true}')
    path.chmod(0o644)
    tmp_path.chmod(0o755)
    return path


def test_what_everybody_may_write_is_not_believed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(file.parent))
    assert policies().value("lan_sharing") is True
    file.chmod(0o666)
    assert "written by others" in policies().problems[0]
    assert policies().locked == {}
    file.chmod(0o644)
    file.parent.chmod(0o777)
    assert policies().locked == {}


@_ROOT
def test_what_belongs_to_somebody_is_not_believed(file: Path) -> None:
    require_the_machines(file)
    os.chown(file, NOBODY, 0)
    with pytest.raises(NotTheMachines, match="does not belong to root"):
        read_machine_file(file, 100)
    os.chown(file, 0, NOBODY)
    require_the_machines(file)  # its group may only read
    file.chmod(0o664)
    with pytest.raises(NotTheMachines):
        require_the_machines(file)


@_ROOT
def test_no_folder_on_the_way_belongs_to_somebody(file: Path) -> None:
    os.chown(file.parent, NOBODY, 0)
    with pytest.raises(NotTheMachines):
        require_the_machines(file)


@_ROOT
def test_a_link_is_as_good_as_what_it_leads_to(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, 0)
    theirs = folder / "file.json"
    theirs.write_text("{}")
    link = tmp_path / "link.json"
    link.symlink_to(theirs)
    with pytest.raises(NotTheMachines):
        read_machine_file(link, 100)


@_ROOT
def test_who_cannot_write_the_program_cannot_point_it_elsewhere(tmp_path: Path) -> None:
    code = "import sys; from sync.machine_files import redirected; sys.exit(0 if redirected() is None else 3)"
    root = Path(__file__).resolve().parents[2]

    def asked(user: int) -> int:
        lead = f"import os; os.setgroups([]); os.setgid({user}); os.setuid({user}); " if user else ""
        start = "import sync.machine_files; "  # loaded before the folders may be out of reach
        return subprocess.run(
            [sys.executable, "-c", start + lead + code], cwd=root, env={**os.environ, VARIABLE: str(tmp_path)}
        ).returncode

    assert asked(0) == 3
    assert asked(NOBODY) == 0


def test_no_variable_no_other_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert redirected() is None


# As Windows 11 tells them: of a file that an administrator copied to a folder below ProgramData, and so on.
COPIED = "O:BAG:DUD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"
PROGRAM_FILES = (
    "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:SYD:PAI(A;;FA;;;SY)"
    "(A;;0x1200a9;;;BU)(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)(A;OICIIO;GA;;;CO)"
)
BELOW_PROGRAM_DATA = (
    "O:BAG:DUD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)"
    "(A;CIID;DCLCRPCR;;;BU)"
)
A_PERSONS = "O:S-1-5-21-1-2-3-1001G:DUD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;S-1-5-21-1-2-3-1001)"
GIVEN_AWAY = "O:BAG:DUD:(A;;FA;;;BA)(A;;0x1301bf;;;BU)"


@pytest.mark.parametrize(
    ("sddl", "folder", "trusted"),
    [
        (COPIED, False, True),
        (PROGRAM_FILES, True, True),
        (BELOW_PROGRAM_DATA, True, False),  # people may add files there
        (A_PERSONS, False, False),
        (GIVEN_AWAY, False, False),
        ("O:BAG:DUD:(D;;FA;;;BU)(A;;FA;;;BA)", False, True),  # a refusal gives nobody anything
        ("O:BAG:DUD:(A;;SDWO;;;WD)", False, False),
        ("O:BAG:DUD:(A;;DT;;;WD)", True, False),
        ("O:BAG:DU", False, False),  # no list: everybody may do everything
        ("O:BAG:DUD:(A;;??;;;WD)", False, False),
        ("O:BAG:DUD:(A;;0xzz;;;WD)", False, False),
        ("", False, False),
    ],
)
def test_who_may_write_on_windows(sddl: str, folder: bool, trusted: bool, tmp_path: Path) -> None:
    assert (strangers(sddl, folder=folder) == "") is trusted
    path = tmp_path / "x"
    path.mkdir() if folder else path.write_text("")
    if trusted:
        require_the_machines(path, lambda _path: sddl)
    else:
        with pytest.raises(NotTheMachines):
            require_the_machines(path, lambda _path: sddl)
