"""An inbox that others write to: links that are swapped in lead nowhere."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.inbox.claim import Claim, claim, leftovers
from ingest.inbox.confined_paths import private_folder
from ingest.inbox.file_names import CLAIMED
from ingest.inbox.inbox_lock import hold_inbox
from ingest.inbox.inbox_writer import ARRIVING, InboxWriter
from ingest.inbox.release import give_back
from ingest.inbox.store import Store
from readfirst.errors import Unavailable

#: The user `nobody` of most systems.
STRANGER = 65534


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the user that runs ReadFirst, outside of the inbox."""
    path = tmp_path / "secrets" / "film.dcm"
    path.parent.mkdir()
    path.write_bytes(b"secret")
    return path


def swap_for_link(folder: Path, target: Path) -> None:
    """Do what somebody does who waits until a folder has been looked at."""
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target, target_is_directory=True)


def test_a_folder_that_becomes_a_link_before_the_claim_leads_to_no_other_file(
    inbox: Path, secret: Path
) -> None:
    film = inbox / "ward" / "film.dcm"
    film.parent.mkdir()
    film.write_bytes(b"film")
    swap_for_link(film.parent, secret.parent)
    assert claim(inbox, film) is None
    assert secret.read_bytes() == b"secret"
    assert list((inbox / CLAIMED).rglob("*.dcm")) == []


@pytest.mark.parametrize("make", [os.symlink, os.mkfifo])
def test_a_file_that_becomes_a_link_or_a_pipe_is_left_alone(
    make: Callable[..., None], inbox: Path, secret: Path
) -> None:
    film = inbox / "film.dcm"
    make(*((secret, film) if make is os.symlink else (film,)))
    assert claim(inbox, film) is None
    assert not stat.S_ISREG(film.lstat().st_mode)
    assert secret.read_bytes() == b"secret"


def test_a_folder_that_becomes_a_link_after_the_claim_gets_no_file(
    inbox: Path, tmp_path: Path
) -> None:
    """Else a file called `authorized_keys` could be put where it opens doors."""
    keys = inbox / "ward" / "authorized_keys"
    keys.parent.mkdir()
    keys.write_bytes(b"key")
    doors = tmp_path / "doors"
    doors.mkdir()
    claimed = claim(inbox, keys)
    assert claimed is not None
    keys.parent.rmdir()
    keys.parent.symlink_to(doors, target_is_directory=True)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        give_back(inbox, claimed)
    assert list(doors.iterdir()) == []
    assert claimed.path.read_bytes() == b"key"


def test_a_claimed_file_that_was_swapped_for_a_link_is_not_stored(
    tmp_path: Path, secret: Path
) -> None:
    link = tmp_path / "claimed.dcm"
    link.symlink_to(secret)
    store = Store(tmp_path / "store")
    with pytest.raises(OSError, match="symbolic links"):
        store.keep(link)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_a_leftover_that_is_a_link_is_no_leftover(inbox: Path, secret: Path) -> None:
    folder = private_folder(inbox, CLAIMED)
    (folder / "one").mkdir()
    (folder / "one" / "film.dcm").symlink_to(secret)
    (folder / "two").symlink_to(secret.parent, target_is_directory=True)
    (folder / "three" / "ward").mkdir(parents=True)
    (folder / "three" / "ward" / "film.dcm").write_bytes(b"film")
    assert [left.claim_id for left in leftovers(inbox)] == ["three"]


def open_lock(inbox: Path) -> None:
    with hold_inbox(inbox):
        pass


def open_upload(inbox: Path) -> None:
    InboxWriter(inbox, "web", lambda: True).open().discard()


def claim_film(inbox: Path) -> Claim | None:
    (inbox / "film.dcm").write_bytes(b"film")
    return claim(inbox, inbox / "film.dcm")


USES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "lock": (CLAIMED, open_lock),
    "claim": (CLAIMED, claim_film),
    "leftovers": (CLAIMED, leftovers),
    "upload": (ARRIVING, open_upload),
}


@pytest.mark.parametrize("use", USES)
def test_our_folder_is_made_for_ourselves_alone(use: str, inbox: Path) -> None:
    name, run = USES[use]
    run(inbox)
    if use != "leftovers":
        assert stat.S_IMODE((inbox / name).stat().st_mode) == 0o700


@pytest.mark.parametrize("use", USES)
def test_our_folder_of_an_earlier_release_is_closed(use: str, inbox: Path) -> None:
    name, run = USES[use]
    (inbox / name).mkdir()
    (inbox / name).chmod(0o775)
    run(inbox)
    assert stat.S_IMODE((inbox / name).stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize("use", USES)
def test_a_folder_that_somebody_else_made_is_not_used(use: str, inbox: Path) -> None:
    name, run = USES[use]
    (inbox / name).mkdir()
    os.chown(inbox / name, STRANGER, STRANGER)
    with pytest.raises((OSError, Unavailable), match="belongs to another user"):
        run(inbox)


@pytest.mark.parametrize("use", USES)
def test_a_link_in_the_place_of_our_folder_is_not_followed(
    use: str, inbox: Path, secret: Path
) -> None:
    name, run = USES[use]
    (inbox / name).symlink_to(secret.parent, target_is_directory=True)
    with pytest.raises((OSError, Unavailable), match="is not a folder"):
        run(inbox)
    assert list(secret.parent.iterdir()) == [secret]
