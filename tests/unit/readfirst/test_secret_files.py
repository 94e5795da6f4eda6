"""Files that prove who we are to other systems: tokens, passwords, certificates."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from trustme import CA

from readfirst.access.client_tls import client_context
from readfirst.access.secret_files import read_secret, read_token
from readfirst.errors import Misconfigured


@dataclass(frozen=True)
class Files:
    """The files of an address."""

    tls_ca: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None


def test_the_first_line_is_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(" päss word \nof the PACS\n")
    assert read_secret("password_file", path) == "päss word"
    path.write_text("abc.DEF-1~+/==\r\n")
    assert read_token("token_file", path) == "abc.DEF-1~+/=="


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"token_file: .*secret cannot be read \(No such file or directory\)"),
        (b"", "the first line of .* is empty"),
        (b"\nsecond", "the first line of .* is empty"),
        (b"\xff\xfe", "must be a text in UTF-8"),
        (b"two words", "must be one token"),
        ("tökén".encode(), "must be one token"),
    ],
)
def test_what_is_no_token_says_so_and_does_not_repeat_it(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured, match=words) as refusal:
        read_token("token_file", path)
    assert "words" not in str(refusal.value)


def test_certificates_are_read_and_names_are_checked(tmp_path: Path) -> None:
    ca, path = CA(), tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    own = tmp_path / "own.pem"
    ca.issue_cert("us.example").private_key_and_cert_chain_pem.write_to_path(str(own))
    context = client_context(Files(path, own, own))
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("text", None, None), "tls_ca: .*text must be a file of certificates in PEM"),
        (("none", None, None), r"tls_ca: .*none cannot be read \(No such file or directory\)"),
        ((None, "text", None), "are needed both, or neither"),
        ((None, None, "text"), "are needed both, or neither"),
        ((None, "text", "text"), "tls_certificate and tls_key: .* must be a certificate and its"),
        ((None, "none", "text"), "tls_certificate and tls_key: .* cannot be read"),
    ],
)
def test_what_is_no_certificate_says_so(
    tmp_path: Path, names: tuple[str | None, ...], words: str
) -> None:
    (tmp_path / "text").write_text("no certificate")
    files = Files(*(tmp_path / name if name else None for name in names))
    with pytest.raises(Misconfigured, match=words):
        client_context(files)
