"""`sources …`: the archives that films are fetched from."""

import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from cli.common.console import local_time, notice, print_json, print_table
from cli.common.database import TERMINAL, opened
from cli.common.help import PlainCommand
from cli.common.options import Json
from db.access.audit import AuditAction, note
from db.pacs.sources import (
    PacsSourceRecord,
    add_source,
    change_source,
    note_answer,
    remove_source,
    source_record,
    source_records,
    study_counts,
)
from readfirst.errors import Misconfigured, SourceUnavailable
from readfirst.pacs.fetches import FetchState
from readfirst.pacs.source import PacsSource, Retrieval, check_source
from readfirst.settings import Settings, load_settings

app = typer.Typer(
    help="Sources: archives (PACS) that films are fetched from.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The source's name.")]
By = Annotated[
    Retrieval | None,
    typer.Option(
        "--by",
        help="How films come: c-move (the PACS sends to our listener), c-get (over the same "
        "association) or dicomweb (QIDO-RS and WADO-RS).",
    ),
]
Host = Annotated[str | None, typer.Option(help="Address of the PACS, for C-MOVE and C-GET.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="DICOM port of the PACS.")]
AeTitle = Annotated[str | None, typer.Option(help="AE title of the PACS.")]
Calling = Annotated[
    str | None,
    typer.Option("--calling", help="Our AE title there. Default: READFIRST_RECEIVE_AE_TITLE."),
]
Url = Annotated[
    str | None, typer.Option(help="Address of DICOMweb, as https://pacs.example/dicom-web.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="File with a bearer token for DICOMweb; read anew at each connection."),
]
Tls = Annotated[bool | None, typer.Option("--tls/--no-tls", help="Use TLS for DIMSE.")]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        help="CA (PEM) that must have signed the certificate of the PACS. Default: those that "
        "this machine trusts."
    ),
]
TlsCertificate = Annotated[
    Path | None, typer.Option(help="Certificate (PEM) that we show to the PACS.")
]
Poll = Annotated[
    bool | None,
    typer.Option(
        "--poll/--no-poll", help="Fetch new films by itself, every READFIRST_FETCH_EVERY_SECONDS."
    ),
]
Priors = Annotated[
    bool | None,
    typer.Option(
        "--priors/--no-priors",
        help="Fetch a patient's earlier chest films (READFIRST_FETCH_PRIORS) when a new one comes "
        "in.",
    ),
]
TlsKey = Annotated[Path | None, typer.Option(help="Private key of that certificate (PEM).")]
#: The options of each protocol; a source that changes its protocol loses those of the other.
OF_DIMSE = ("host", "port", "ae_title", "calling_ae_title", "tls")
OF_DICOMWEB = ("url", "token_file")


@app.command(cls=PlainCommand)
def add(
    name: Name,
    by: By = Retrieval.C_MOVE,
    host: Host = None,
    port: Port = None,
    ae_title: AeTitle = None,
    calling: Calling = None,
    url: Url = None,
    token_file: TokenFile = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    poll: Poll = None,
    priors: Priors = None,
) -> None:
    """Add a source. Without --poll nothing is fetched from it before somebody says so."""
    chosen = _chosen(
        retrieval=by,
        host=host,
        port=port,
        ae_title=ae_title,
        calling_ae_title=calling,
        url=url,
        token_file=token_file,
        tls=tls,
        tls_ca=tls_ca,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        polled=poll,
        gives_priors=priors,
    )
    source = PacsSource(**({"name": name, "retrieval": Retrieval.C_MOVE} | chosen))
    check_source(source)
    settings = load_settings()
    _check_priors(source, settings)
    with opened(settings) as database, database.write() as session:
        add_source(session, source, datetime.now(UTC))
        _note(session, AuditAction.SOURCE_ADDED, source)
    _warn_of_token(source)
    notice(f"{name} is a source. `readfirst sources test {name}` sees whether it answers.")


@app.command(cls=PlainCommand)
def change(
    name: Name,
    by: By = None,
    host: Host = None,
    port: Port = None,
    ae_title: AeTitle = None,
    calling: Calling = None,
    url: Url = None,
    token_file: TokenFile = None,
    tls: Tls = None,
    tls_ca: TlsCa = None,
    tls_certificate: TlsCertificate = None,
    tls_key: TlsKey = None,
    poll: Poll = None,
    priors: Priors = None,
) -> None:
    """Change a source: what is named becomes so, and the rest stays. An empty value (`""`) takes
    one away.
    """
    chosen = _chosen(
        retrieval=by,
        host=host,
        port=port,
        ae_title=ae_title,
        calling_ae_title=calling,
        url=url,
        token_file=token_file,
        tls=tls,
        tls_ca=tls_ca,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        polled=poll,
        gives_priors=priors,
    )
    if not chosen:
        raise Misconfigured("Say what is to change: `readfirst sources change --help` lists it.")
    settings = load_settings()
    with opened(settings) as database, database.write() as session:
        source = _changed(source_record(session, name).source, chosen)
        check_source(source)
        _check_priors(source, settings)
        change_source(session, name, source)
        _note(session, AuditAction.SOURCE_CHANGED, source)
    _warn_of_token(source)
    notice(f"{name} is {source.address} by {source.retrieval}.")


@app.command(cls=PlainCommand)
def remove(name: Name) -> None:
    """Remove a source, and the list of what was fetched from it. The films stay."""
    with opened(load_settings()) as database, database.write() as session:
        source = source_record(session, name).source
        remove_source(session, name)
        _note(session, AuditAction.SOURCE_REMOVED, source)
    notice(f"{name} is a source no more.")


@app.command("list", cls=PlainCommand)
def list_sources(json: Json = False) -> None:
    """Print every source: where it is, whether it answers, and how many studies were fetched."""
    settings = load_settings()
    with opened(settings) as database, database.read() as session:
        records, counts = source_records(session), study_counts(session)
    if json:
        print_json([_as_json(record, counts.get(record.id, {})) for record in records])
        return
    print_table(
        f"Sources: {len(records)}",
        ("Name", "By", "Address", "Polled", "Priors", "Answers", "Fetched", "Waiting", "Failed"),
        [
            (
                record.source.name,
                record.source.retrieval.value,
                record.source.address,
                "yes" if record.source.polled else "",
                "yes" if record.source.gives_priors else "",
                _answers(record, settings),
                *(
                    str(counts.get(record.id, {}).get(state, 0))
                    for state in (FetchState.FETCHED, FetchState.FOUND, FetchState.FAILED)
                ),
            )
            for record in records
        ],
    )


@app.command("test", cls=PlainCommand)
def verify(name: Name, json: Json = False) -> None:
    """See whether a source answers: C-ECHO and what it accepts, or QIDO-RS for one study."""
    from ingest.pacs.open_client import client_config, open_client

    settings = load_settings()
    with opened(settings) as database:
        with database.read() as session:
            record = source_record(session, name)
        error = None
        try:
            with open_client(record.source, client_config(settings), threading.Event()) as client:
                sentence = client.verify()
        except SourceUnavailable as fault:
            error = sentence = str(fault)
        with database.write() as session:
            note_answer(session, record.id, datetime.now(UTC), error)
    if json:
        print_json({"name": name, "answers": error is None, "sentence": sentence})
    else:
        notice(f"{name}: {sentence}", "red" if error else "")
    if record.source.retrieval is Retrieval.C_MOVE and not settings.receive:
        notice(
            "By C-MOVE it sends to the DICOM listener, which `readfirst up` starts with "
            "READFIRST_RECEIVE=true; the PACS has to know its AE title and address.",
            "yellow",
        )
    if error is not None:
        raise typer.Exit(1)


def _note(session: Session, action: AuditAction, source: PacsSource) -> None:
    """Note a change in the audit log. The address is no patient's data, and holds no token."""
    note(
        session,
        TERMINAL,
        action,
        datetime.now(UTC),
        source=source.name,
        retrieval=source.retrieval.value,
        address=source.address,
        polled=source.polled,
        priors=source.gives_priors,
        by=getuser(),
    )


def _chosen(**options: Any) -> dict[str, Any]:
    """The options that were given; an empty text or path is None."""
    given_options = {name: value for name, value in options.items() if value is not None}
    return {
        name: None if str(value) in ("", ".") else value for name, value in given_options.items()
    }


def _changed(source: PacsSource, chosen: dict[str, Any]) -> PacsSource:
    retrieval = chosen.get("retrieval", source.retrieval)
    is_dicomweb = retrieval is Retrieval.DICOMWEB
    dropped: dict[str, Any] = {}
    if is_dicomweb != (source.retrieval is Retrieval.DICOMWEB):
        dropped = dict.fromkeys(OF_DIMSE if is_dicomweb else OF_DICOMWEB)
    if "tls" in dropped:
        dropped["tls"] = False
    return replace(source, **(dropped | chosen))


def _check_priors(source: PacsSource, settings: Settings) -> None:
    """Raises Misconfigured where films that are fetched for comparison would be unread work."""
    if source.gives_priors and settings.prior_after is None:
        raise Misconfigured(
            "READFIRST_PRIOR_AFTER_DAYS is 0, so no study is a prior: earlier films would be "
            "unread work. Set it first, or leave --priors out."
        )


def _warn_of_token(source: PacsSource) -> None:
    if source.token_file is not None and (source.url or "").lower().startswith("http:"):
        notice("The token crosses the network as it is, for others to read. Use https.", "yellow")


def _answers(record: PacsSourceRecord, settings: Settings) -> str:
    if record.failing_since is not None:
        return f"not since {local_time(record.failing_since, settings)}: {record.last_error}"
    if record.answered_at is None:
        return "not tried yet"
    return f"at {local_time(record.answered_at, settings)}"


def _as_json(record: PacsSourceRecord, studies: dict[FetchState, int]) -> dict[str, Any]:
    row = asdict(record)
    del row["id"]
    source: dict[str, Any] = row.pop("source")
    return source | row | {"studies": studies}
