"""The listener with DCMTK's own tools, over real sockets."""

import os
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydicom import dcmread
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    XRayAngiographicImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from ingest.dicom.header import read_header
from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from ingest.inbox.inbox_writer import ARRIVING, InboxWriter
from ingest.receivers.contexts import STORAGE_CLASSES, VERIFICATION
from ingest.receivers.listener import Listener, listening
from ingest.receivers.listener_config import ListenerConfig, listener_config
from readfirst.errors import Misconfigured
from readfirst.samples import FOLDER
from readfirst.settings import Settings
from tests.support.dcmtk import needs_dcmtk, tool
from tests.support.files import a_dataset, a_dicom_file, a_gradient
from tests.support.waiting import TIMEOUT, wait_until

CONFIG = ListenerConfig(
    host="127.0.0.1",
    port=0,
    ae_title="READFIRST",
    calling=(),
    peers=(),
    associations=32,
    most_bytes=50_000_000,
)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@contextmanager
def a_listener(
    inbox: Path, config: ListenerConfig = CONFIG, *, room: bool = True
) -> Iterator[Listener]:
    with listening(config, InboxWriter(inbox, "dicom", lambda: room)) as listener:
        yield listener


def arrived(inbox: Path) -> list[Path]:
    return sorted((inbox / "dicom").iterdir())


def arriving(inbox: Path) -> list[Path]:
    return list((inbox / ARRIVING).iterdir())


def dcmtk(name: str, port: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [tool(name), "-v", "-aec", "READFIRST", *map(str, arguments)]
    address = ["127.0.0.1", str(port)]
    # Options come first, then the address, then the files.
    files = [word for word in command if word.endswith(".dcm")]
    options = [word for word in command if word not in files]
    return subprocess.run(
        [*options, *address, *files], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


@needs_dcmtk
def test_echo_is_answered(inbox: Path) -> None:
    with a_listener(inbox) as listener:
        answer = dcmtk("echoscu", listener.port)
    assert answer.returncode == 0, answer.stderr


@needs_dcmtk
def test_an_image_lands_in_the_inbox_as_it_was_sent(inbox: Path) -> None:
    sent = FOLDER / "study-01.dcm"
    with a_listener(inbox) as listener:
        answer = dcmtk("storescu", listener.port, "-aet", "WARD-7", sent)
    assert answer.returncode == 0, answer.stderr
    (path,) = arrived(inbox)
    before, after = dcmread(sent), dcmread(path)
    assert after == before
    assert after.file_meta.SourceApplicationEntityTitle == "WARD-7"
    assert after.file_meta.MediaStorageSOPInstanceUID == before.SOPInstanceUID
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    assert arriving(inbox) == []


@needs_dcmtk
@pytest.mark.parametrize(
    ("option", "name"),
    [("-xy", "study-02.dcm"), ("-xi", "study-01.dcm")],
    ids=["JPEG baseline", "implicit"],
)
def test_what_the_sender_names_first_is_taken(inbox: Path, option: str, name: str) -> None:
    with a_listener(inbox) as listener:
        answer = dcmtk("storescu", listener.port, option, FOLDER / name)
    assert answer.returncode == 0, answer.stderr
    (path,) = arrived(inbox)
    syntax = {"-xy": "JPEG Baseline", "-xi": "Implicit"}[option]
    assert dcmread(path).file_meta.TransferSyntaxUID.name.startswith(syntax)


@needs_dcmtk
def test_unknown_names_are_turned_away_at_the_association(inbox: Path) -> None:
    known = replace(CONFIG, calling=("WARD-7",))
    with a_listener(inbox, known) as listener:
        stranger = dcmtk("storescu", listener.port, "-aet", "OTHER", FOLDER / "study-01.dcm")
        wrong = dcmtk("echoscu", listener.port, "-aet", "WARD-7", "-aec", "SOMEBODY")
        friend = dcmtk("echoscu", listener.port, "-aet", "WARD-7")
    assert "Calling AE Title Not Recognized" in stranger.stderr
    assert "Called AE Title Not Recognized" in wrong.stderr
    assert friend.returncode == 0
    assert arrived(inbox) == []


@needs_dcmtk
def test_no_more_associations_than_may_be(inbox: Path) -> None:
    few = replace(CONFIG, associations=1)
    with a_listener(inbox, few) as listener:
        with an_association(listener.port, VERIFICATION):
            crowded = dcmtk("echoscu", listener.port)
        wait_until(lambda: not listener.active_associations)
        free = dcmtk("echoscu", listener.port)
    assert "Local Limit Exceeded" in crowded.stderr
    assert free.returncode == 0


@needs_dcmtk
def test_unknown_addresses_are_turned_away(inbox: Path) -> None:
    elsewhere = listener_config(Settings(receive_port=0, receive_peers=("192.0.2.0/24",)))
    with a_listener(inbox, elsewhere) as listener:
        assert dcmtk("echoscu", listener.port).returncode != 0
    this_machine = listener_config(
        Settings(receive_port=0, receive_peers=("192.0.2.1", "127.0.0.0/8"))
    )
    with a_listener(inbox, this_machine) as listener:
        assert dcmtk("echoscu", listener.port).returncode == 0


@needs_dcmtk
@pytest.mark.parametrize("client_certificate", [True, False])
def test_tls_with_certificates_of_both_sides(
    inbox: Path, tmp_path: Path, client_certificate: bool
) -> None:
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    trust = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trust)
    server = write_certificate(authority, tmp_path / "server")
    client = write_certificate(authority, tmp_path / "client")
    settings = Settings(
        receive_port=0,
        receive_tls_certificate=server[1],
        receive_tls_key=server[0],
        receive_tls_ca=trust,
    )
    options = ["+tls", *client] if client_certificate else ["+tla"]
    with a_listener(inbox, listener_config(settings)) as listener:
        film = FOLDER / "study-01.dcm"
        answer = dcmtk("storescu", listener.port, *options, "+cf", trust, film)
        plain = dcmtk("echoscu", listener.port)
    assert (answer.returncode == 0) == client_certificate, answer.stderr
    assert len(arrived(inbox)) == client_certificate
    assert plain.returncode != 0


def write_certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """A key and a certificate as PEM files."""
    folder.mkdir()
    certificate = authority.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.RSA)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return folder / "key.pem", folder / "certificate.pem"


@needs_dcmtk
def test_without_room_the_sender_is_told_and_nothing_is_kept(inbox: Path) -> None:
    with a_listener(inbox, room=False) as listener:
        answer = dcmtk("storescu", listener.port, FOLDER / "study-01.dcm")
    assert "OutOfResources" in answer.stderr.replace(" ", "")
    assert arrived(inbox) == arriving(inbox) == []


@needs_dcmtk
def test_an_inbox_that_vanished_is_not_made_anew(inbox: Path) -> None:
    with a_listener(inbox) as listener:
        shutil.rmtree(inbox)
        answer = dcmtk("storescu", listener.port, FOLDER / "study-01.dcm")
        assert "OutOfResources" in answer.stderr.replace(" ", "")
        assert not inbox.exists()


@contextmanager
def an_association(port: int, *classes: str, **arguments: Any) -> Iterator[Association]:
    """An association for some classes, in explicit little endian."""
    ae = AE("TESTER")
    for name in classes or (ComputedRadiographyImageStorage,):
        ae.add_requested_context(name, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", port, ae_title="READFIRST", **arguments)
    assert association.is_established
    raw = association.dul.socket.socket  # type: ignore[union-attr]
    try:
        yield association
    finally:
        association.release()
        association.kill()
        # The library leaves it open when the listener has ended the association.
        raw.close()  # type: ignore[union-attr]


def send_raw(association: Association, *pdus: bytes) -> socket.socket:
    """Send bytes past the library. Returns the socket."""
    raw = association.dul.socket.socket  # type: ignore[union-attr]
    assert raw is not None
    raw.sendall(b"".join(pdus))
    return raw


def test_an_image_beyond_the_bound_is_refused_and_the_next_is_taken(inbox: Path) -> None:
    large = a_dataset(a_gradient(600, 600))
    small = a_dataset(a_gradient())
    bounded = replace(CONFIG, most_bytes=100_000)
    with a_listener(inbox, bounded) as listener, an_association(listener.port) as association:
        statuses = [association.send_c_store(each).Status for each in (large, small)]
    assert statuses == [0xA700, 0x0000]
    assert len(arrived(inbox)) == 1
    assert arriving(inbox) == []


def test_classes_that_carry_no_film_are_not_accepted(inbox: Path) -> None:
    with a_listener(inbox) as listener:
        classes = (XRayAngiographicImageStorage, VERIFICATION)
        with an_association(listener.port, *classes) as association:
            (accepted,) = association.accepted_contexts
    assert accepted.abstract_syntax == VERIFICATION


@pytest.mark.parametrize("storage", STORAGE_CLASSES, ids=lambda uid: str(UID(uid).name))
def test_every_class_is_accepted_in_every_syntax_that_can_be_read(
    inbox: Path, storage: str
) -> None:
    syntaxes = NATIVE + ENCAPSULATED
    with a_listener(inbox) as listener:
        ae = AE("TESTER")
        ae.requested_contexts = [build_context(storage, syntax) for syntax in syntaxes]
        association = ae.associate("127.0.0.1", listener.port, ae_title="READFIRST")
        taken = [context.transfer_syntax[0] for context in association.accepted_contexts]
        association.release()
    assert taken == list(syntaxes)


def test_a_deflated_data_set_stays_deflated(inbox: Path) -> None:
    film = a_dataset(a_gradient(200, 200))
    film.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    with a_listener(inbox) as listener:
        ae = AE("TESTER")
        ae.add_requested_context(film.SOPClassUID, DeflatedExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", listener.port, ae_title="READFIRST")
        assert association.send_c_store(film).Status == 0x0000
        association.release()
    (path,) = arrived(inbox)
    assert path.stat().st_size < len(film.PixelData)
    assert read_header(path).transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    assert dcmread(path).PixelData == film.PixelData


def fragment(context_id: int, control: int, content: bytes) -> bytes:
    """A P-DATA-TF PDU of one fragment (PS3.8 9.3.5, E.2). control: 1 command, 2 last."""
    item = bytes([context_id, control]) + content
    body = struct.pack(">L", len(item)) + item
    return struct.pack(">BBL", 4, 0, len(body)) + body


def test_a_sender_that_breaks_off_in_the_middle_leaves_nothing(inbox: Path) -> None:
    film = a_dataset(a_gradient(500, 500))
    with a_listener(inbox) as listener:
        with an_association(listener.port) as association:
            raw = send_raw(
                association,
                fragment(1, 3, store_command(film.SOPClassUID, film.SOPInstanceUID)),
                fragment(1, 0, b"\x08\x00" * 20_000),
            )
            wait_until(lambda: len(arriving(inbox)) == 1)
            # No A-ABORT, no A-RELEASE: the cable is pulled.
            raw.shutdown(socket.SHUT_RDWR)
            wait_until(lambda: arriving(inbox) == [])
        with an_association(listener.port) as again:
            assert again.send_c_store(film).Status == 0x0000
    assert len(arrived(inbox)) == 1


def store_command(sop_class_uid: str, sop_instance_uid: str) -> bytes:
    """The command set of a C-STORE request (PS3.7 9.3.1.1), implicit little endian."""
    elements = [
        (0x0002, padded(sop_class_uid)),
        (0x0100, struct.pack("<H", 1)),
        (0x0110, struct.pack("<H", 1)),
        (0x0700, struct.pack("<H", 0)),
        (0x0800, struct.pack("<H", 1)),
        (0x1000, padded(sop_instance_uid)),
    ]
    body = b"".join(
        struct.pack("<HHL", 0, element, len(value)) + value for element, value in elements
    )
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def padded(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


# pydicom speaks up about such UIDs.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("uid", ["../../../etc/passwd", "1.2.3/../4"])
def test_an_object_named_by_no_uid_is_not_kept(inbox: Path, uid: str) -> None:
    film = a_dataset(a_gradient())
    heard: list[evt.Event] = []
    hear = {"evt_handlers": [(evt.EVT_DIMSE_RECV, heard.append)]}
    with a_listener(inbox) as listener, an_association(listener.port, **hear) as association:
        send_raw(
            association,
            fragment(1, 3, store_command(film.SOPClassUID, uid)),
            fragment(1, 2, b"\x08\x00" * 1000),
        )
        wait_until(lambda: len(heard) == 1)
    assert heard[0].message.command_set.Status == 0xC000
    assert arrived(inbox) == arriving(inbox) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_command_that_makes_no_sense_ends_its_association_and_no_other(inbox: Path) -> None:
    film = a_dataset(a_gradient())
    with a_listener(inbox) as listener, an_association(listener.port) as honest:
        with an_association(listener.port) as association:
            send_raw(association, fragment(1, 3, b"no command at all" * 9))
            wait_until(lambda: not association.is_established)
        with an_association(listener.port) as association:
            lying = struct.pack(">BBLL", 4, 0, 8, 99) + b"\1\0ab"
            begin = fragment(1, 3, store_command(film.SOPClassUID, film.SOPInstanceUID))
            send_raw(association, begin, fragment(1, 0, b"\x08\x00" * 999), lying)
            wait_until(lambda: not association.is_established)
        with an_association(listener.port) as association:
            endless = fragment(1, 1, b"\0" * 60_000)
            send_raw(association, endless, endless, endless)
            wait_until(lambda: not association.is_established)
        assert honest.send_c_store(film).Status == 0x0000
        wait_until(lambda: arriving(inbox) == [])
    assert len(arrived(inbox)) == 1


def test_a_pdu_of_four_gibibytes_is_not_waited_for(inbox: Path) -> None:
    with a_listener(inbox) as listener:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=TIMEOUT) as caller:
            caller.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFFF))
            assert caller.recv(1) == b""
        with an_association(listener.port, VERIFICATION) as association:
            assert association.send_c_echo().Status == 0x0000


def test_a_silent_caller_keeps_nobody_waiting_for_tls(inbox: Path, tmp_path: Path) -> None:
    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    key, certificate = write_certificate(authority, tmp_path / "server")
    settings = Settings(receive_port=0, receive_tls_certificate=certificate, receive_tls_key=key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with (
        a_listener(inbox, listener_config(settings)) as listener,
        socket.create_connection(("127.0.0.1", listener.port)),
    ):
        tls = {"tls_args": (context, "127.0.0.1")}
        with an_association(listener.port, VERIFICATION, **tls) as association:
            assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize(
    "lists",
    [
        {},
        {"receive_calling": ("WARD-7",)},
        {"receive_peers": ("10.0.0.0/8",)},
    ],
)
def test_off_loopback_both_lists_are_required(lists: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(Misconfigured, match="READFIRST_RECEIVE_CALLING"):
        listener_config(Settings(receive_host="0.0.0.0", **lists))  # type: ignore[arg-type]


def test_off_loopback_with_both_lists_is_allowed() -> None:
    settings = Settings(
        receive_host="0.0.0.0", receive_calling=("WARD-7",), receive_peers=("10.1.2.3",)
    )
    config = listener_config(settings)
    assert config.admits("10.1.2.3")
    assert config.admits("::ffff:10.1.2.3")
    assert not config.admits("10.1.2.4")
    assert not config.admits("fe80::1%eth0")


def test_a_ca_without_a_certificate_is_named() -> None:
    with pytest.raises(Misconfigured, match="READFIRST_RECEIVE_TLS_CERTIFICATE"):
        listener_config(Settings(receive_tls_ca=Path("ca.pem")))


def test_each_file_of_tls_that_is_none_is_named_in_plain_words(tmp_path: Path) -> None:
    key, certificate = write_certificate(trustme.CA(key_type=trustme.KeyType.RSA), tmp_path / "c")
    none, text = tmp_path / "none.pem", tmp_path / "text.pem"
    text.write_text("no certificate")
    pair = "READFIRST_RECEIVE_TLS_CERTIFICATE is {} and READFIRST_RECEIVE_TLS_KEY is {}; they must"
    for files, sentence in (
        ((none, key, None), f"READFIRST_RECEIVE_TLS_CERTIFICATE is {none}; it must"),
        ((certificate, none, None), f"READFIRST_RECEIVE_TLS_KEY is {none}; it must"),
        ((certificate, key, tmp_path), f"READFIRST_RECEIVE_TLS_CA is {tmp_path}; it must"),
        ((certificate, key, text), f"READFIRST_RECEIVE_TLS_CA is {text}; it must"),
        ((text, key, None), pair.format(text, key)),
        ((certificate, text, None), pair.format(certificate, text)),
    ):
        names = ("receive_tls_certificate", "receive_tls_key", "receive_tls_ca")
        settings = Settings().model_copy(update=dict(zip(names, files, strict=True)))
        with pytest.raises(Misconfigured) as mistake:
            listener_config(settings)
        assert str(mistake.value).startswith(sentence)
        assert "SSL" not in str(mistake.value)


def test_a_port_in_use_is_named(inbox: Path) -> None:
    with a_listener(inbox) as listener:
        taken = replace(CONFIG, port=listener.port)
        with pytest.raises(Misconfigured, match="READFIRST_RECEIVE_PORT"), a_listener(inbox, taken):
            pass


def test_what_a_dead_run_left_is_removed_after_a_day(inbox: Path) -> None:
    (inbox / ARRIVING).mkdir(parents=True)
    old, new = inbox / ARRIVING / "a.part", inbox / ARRIVING / "b.part"
    for path in (old, new):
        a_dicom_file(path)
    os.utime(old, (1, 1))
    # As a file that another receiver removes meanwhile: listed, and not there.
    vanished = inbox / ARRIVING / "c.part"
    vanished.symlink_to("gone")
    with a_listener(inbox):
        assert set(arriving(inbox)) == {new, vanished}
