"""Pseudonyms: keyed digests, which nobody without the site's key can lead back or make again."""

import hashlib
import hmac
import os
import secrets
from base64 import b32encode
from contextlib import suppress
from datetime import date
from pathlib import Path

from readfirst.errors import Misconfigured
from readfirst.files.private_files import private_umask

#: File in the home folder. Without it the same patient gets another pseudonym.
KEY_FILE = "pseudonyms.key"
KEY_BYTES = 32
#: Bytes of a digest that make a pseudonym: two are alike once in 10^12 pairs of a million.
PSEUDONYM_BYTES = 10


def site_key(home: Path) -> bytes:
    """Read the key of a site; it is made at the first use. Raises Misconfigured if it is broken."""
    path = home / KEY_FILE
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"{path} is no key of {KEY_BYTES} bytes. Put it back from a backup; a new one, which "
            "is made where there is none, gives each patient another pseudonym."
        )
    return key


def _make(path: Path) -> None:
    """Write a new key, all of it or nothing; of two processes the first one's stays."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with private_umask():
        partial.write_bytes(secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        os.link(partial, path)
    partial.unlink()


class Pseudonyms:
    """Pseudonyms by one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def fingerprint(self) -> str:
        """A name of the key, of which it tells nothing."""
        return self._digest("key", "").hex()[:16]

    def patient(self, name: str) -> str:
        """The pseudonym of a patient. name: of `patient_key`."""
        return self._pseudonym("patient", name)

    def study(self, study_instance_uid: str) -> str:
        """The pseudonym of a study."""
        return self._pseudonym("study", study_instance_uid)

    def film(self, sha256: str) -> str:
        """The pseudonym of a film: the name of its file."""
        return self._pseudonym("film", sha256)

    def seed(self, name: str) -> str:
        """A secret of a patient, by which UIDs are made and dates are moved."""
        return self._digest("seed", name).hex()

    def _pseudonym(self, kind: str, name: str) -> str:
        return b32encode(self._digest(kind, name)[:PSEUDONYM_BYTES]).decode().lower()

    def _digest(self, kind: str, name: str) -> bytes:
        return hmac.digest(self._key, f"{kind}:{name}".encode(), hashlib.sha256)


def patient_key(
    patient_id: str | None, name: str | None, birth_date: date | None, study_instance_uid: str
) -> str:
    """Name a patient: by the ID, else by name and birth date, else each study is one of its own.

    The issuer of an ID does not count: for a split by patient, two patients may be taken for one,
    but one must never be taken for two.
    """
    if patient_id:
        return f"id:{patient_id.strip()}"
    if name and birth_date:
        return f"name:{name.casefold().strip()}:{birth_date.isoformat()}"
    return f"study:{study_instance_uid}"
