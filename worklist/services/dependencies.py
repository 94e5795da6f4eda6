"""The dependencies of routes, each by one name: `settings: SettingsDep`.

The collaborators of an application lie in its `state`, where `worklist.app.make_app` puts them. A
route opens its own transaction (`with database.read() as session`), so that it ends before the
answer is written, and not after it was sent.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from db.disclosures import Disclosures
from db.lifecycle.unit_of_work import LifecyclePolicy
from db.session import Database
from ingest.inbox.inbox_writer import InboxWriter
from ingest.reader.reader_process import Reader
from readfirst.derived_images import DerivedImages
from readfirst.settings import Settings
from readfirst.studies.display import DisplayContext
from readfirst.tasks.names import TaskName
from worklist.security.authenticator import Authenticator
from worklist.security.csrf import names_no_page
from worklist.security.principal import Principal
from worklist.services.originals import Originals
from worklist.services.renderer import Renderer
from worklist.services.streams import Streams

#: Tells the workers that there is work of a kind; never raises.
Notifier = Callable[[TaskName], None]


def of_application(name: str) -> Any:
    """A thing in the state of the application. It is there: nothing has to run in a thread."""

    async def find(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(find)


SettingsDep = Annotated[Settings, of_application("settings")]
DatabaseDep = Annotated[Database, of_application("database")]
#: The site's rules for the life cycle.
LifecycleDep = Annotated[LifecyclePolicy, of_application("lifecycle")]
OriginalsDep = Annotated[Originals, of_application("originals")]
DerivedImagesDep = Annotated[DerivedImages, of_application("prepared")]
RendererDep = Annotated[Renderer, of_application("renderer")]
StreamsDep = Annotated[Streams, of_application("streams")]
NotifierDep = Annotated[Notifier, of_application("notify")]
#: The writers into the inbox, and the reader of the headers of what comes in.
UploadWriterDep = Annotated[InboxWriter, of_application("upload_writer")]
DicomwebWriterDep = Annotated[InboxWriter, of_application("dicomweb_writer")]
HeaderReaderDep = Annotated[Reader, of_application("header_reader")]
AuthenticatorDep = Annotated[Authenticator, of_application("authenticator")]


async def now() -> datetime:
    """The time of a request."""
    return datetime.now(UTC)


NowDep = Annotated[datetime, Depends(now)]


async def from_page(request: Request) -> bool:
    """True for a request of a page or of a person's session, and not of a program."""
    principal: Principal | None = request.state.principal
    in_session = principal is not None and bool(principal.form_token)
    return in_session or not names_no_page(request.headers)


FromPage = Annotated[bool, Depends(from_page)]


async def display(settings: SettingsDep, at: NowDep, to_reader: FromPage = False) -> DisplayContext:
    """The site's rules of showing studies, at the time of a request."""
    return settings.display(at, to_reader=to_reader)


DisplayDep = Annotated[DisplayContext, Depends(display)]


async def current_user(request: Request) -> Principal:
    """The principal of a request. Only for routes that are not open to everybody."""
    principal: Principal = request.state.principal
    return principal


CurrentUser = Annotated[Principal, Depends(current_user)]


async def disclosures(request: Request) -> Disclosures:
    """The patients' data that a request reads. Routes that note it by themselves say so."""
    read: Disclosures = request.state.disclosures
    return read


RequestDisclosures = Annotated[Disclosures, Depends(disclosures)]
