"""WADO-RS: the pixels of an instance, as frames and as pictures (PS3.18 10.4.1.1, 10.4.1.2)."""

from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request, Response
from PIL import Image as PillowImage
from pydicom.uid import ExplicitVRLittleEndian

from db.access.audit import AuditAction
from ingest.dicom.web.frames import StoredFrame
from readfirst.access.roles import Role
from worklist.dicomweb.addresses import INSTANCE, SERIES, STUDY
from worklist.dicomweb.documents import FRAMES, PICTURE
from worklist.dicomweb.media_types import OCTET_STREAM, MediaType, chosen
from worklist.dicomweb.multipart import multipart, part_of_bytes, single
from worklist.dicomweb.parameters import (
    FramesPath,
    InstancePath,
    ObjectsDep,
    SeriesPath,
    StudyPath,
)
from worklist.dicomweb.rendering import PICTURES, encoded, read_rendering, rendering_parameters
from worklist.dicomweb.study_objects import PATIENCE, Film, StudyObjects
from worklist.security.policy import policy
from worklist.services.renderer import Renderer

router = APIRouter()
#: PS3.18 8.7.3.3: compressed frames have media types by their syntaxes.
IMAGE_TYPES = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
#: Of a small film, the longest side in pixels.
SMALL = 256


@router.get(
    INSTANCE + "/frames/{frames}",
    operation_id="retrieveFrames",
    response_class=Response,
    responses=FRAMES,
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def frames(
    request: Request,
    objects: ObjectsDep,
    study: StudyPath,
    series: SeriesPath,
    instance: InstancePath,
    frames: FramesPath,
) -> Response:
    """Frames as they are stored, or the first one's plain values in little endian.

    `transfer-syntax=*` takes whatever is stored. Without it, `application/octet-stream` is Explicit
    VR Little Endian, so that what is compressed is decoded: one frame of grey.
    """
    film = objects.film(study, series, instance)
    first = _stored(objects.renderer, film, frames[0])
    wanted = chosen(request, _offered(first))
    is_plain = wanted.transfer_syntax == ExplicitVRLittleEndian
    if is_plain and first.transfer_syntax_uid != ExplicitVRLittleEndian:
        stored = [_plain(objects.renderer, film, frames)]
    else:
        stored = [first, *(_stored(objects.renderer, film, number) for number in frames[1:])]
    media_type = f"{wanted.kind}; transfer-syntax={stored[0].transfer_syntax_uid}"
    parts = [part_of_bytes(media_type, frame.content) for frame in stored]
    if not wanted.multipart:
        if len(parts) > 1:
            raise HTTPException(406, "Several frames are to be had as multipart/related.")
        return single(parts[0])
    return multipart(wanted.kind, parts)


@router.get(
    INSTANCE + "/rendered",
    operation_id="retrieveRenderedInstance",
    response_class=Response,
    responses=PICTURE,
    openapi_extra=rendering_parameters(),
)
@policy(Role.SERVICE, audit=AuditAction.IMAGE_VIEWED)
def rendered(
    request: Request,
    objects: ObjectsDep,
    study: StudyPath,
    series: SeriesPath,
    instance: InstancePath,
) -> Response:
    """The film as a picture, as the page shows it: by its own window, or by another."""
    media_type = chosen(request, PICTURES).kind
    rendering = read_rendering(request)
    film = objects.film(study, series, instance)
    with objects.renderer.reading(PATIENCE) as reader:
        grey = reader.display(film.path(), rendering.window)
    picture = rendering.resized(PillowImage.fromarray(grey))
    return Response(encoded(picture, media_type, rendering.quality), media_type=media_type)


@router.get(
    STUDY + "/thumbnail",
    operation_id="retrieveStudyThumbnail",
    response_class=Response,
    responses=PICTURE,
)
@policy(Role.SERVICE, audit=AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False)
def study_thumbnail(request: Request, objects: ObjectsDep, study: StudyPath) -> Response:
    """The small film of the first film of a study."""
    return _thumbnail(request, objects, objects.film(study))


@router.get(
    SERIES + "/thumbnail",
    operation_id="retrieveSeriesThumbnail",
    response_class=Response,
    responses=PICTURE,
)
@policy(Role.SERVICE, audit=AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False)
def series_thumbnail(
    request: Request, objects: ObjectsDep, study: StudyPath, series: SeriesPath
) -> Response:
    """The small film of the first film of a series."""
    return _thumbnail(request, objects, objects.film(study, series))


@router.get(
    INSTANCE + "/thumbnail",
    operation_id="retrieveInstanceThumbnail",
    response_class=Response,
    responses=PICTURE,
)
@policy(Role.SERVICE, audit=AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False)
def thumbnail(
    request: Request,
    objects: ObjectsDep,
    study: StudyPath,
    series: SeriesPath,
    instance: InstancePath,
) -> Response:
    """The small film of an instance."""
    return _thumbnail(request, objects, objects.film(study, series, instance))


def _thumbnail(request: Request, objects: StudyObjects, film: Film) -> Response:
    """The small film of the list, which stays when the original is removed; else made anew."""
    media_type = chosen(request, PICTURES).kind
    path = objects.derived_images.thumbnail(film.image.sha256)
    if path.is_file():
        picture: PillowImage.Image = PillowImage.open(path)
    else:
        with objects.renderer.reading(PATIENCE) as reader:
            picture = PillowImage.fromarray(reader.display(film.path()))
        picture.thumbnail((SMALL, SMALL))
    return Response(encoded(picture, media_type), media_type=media_type)


def _stored(renderer: Renderer, film: Film, number: int) -> StoredFrame:
    """A frame as it is stored. Raises HTTPException 404."""
    with renderer.reading(PATIENCE) as reader:
        frame = reader.frame(film.path(), number, plain=False)
    if number > frame.frames:
        raise HTTPException(404, f"The instance has frames 1 to {frame.frames}.")
    return frame


def _plain(renderer: Renderer, film: Film, numbers: list[int]) -> StoredFrame:
    if numbers != [1]:
        raise HTTPException(406, "But for the first, frames are to be had as they are stored.")
    with renderer.reading(PATIENCE) as reader:
        return reader.frame(film.path(), 1, plain=True)


def _offered(stored: StoredFrame) -> list[MediaType]:
    """The forms of a frame: plain values before what is compressed, in parts before alone."""
    syntax = stored.transfer_syntax_uid
    is_plain = syntax == ExplicitVRLittleEndian
    forms = [
        MediaType(OCTET_STREAM, transfer_syntax=ExplicitVRLittleEndian, converted=not is_plain)
    ]
    if not is_plain:
        forms.append(MediaType(OCTET_STREAM, transfer_syntax=syntax))
        forms.append(MediaType(IMAGE_TYPES.get(syntax, OCTET_STREAM), transfer_syntax=syntax))
    return [replace(form, multipart=in_parts) for in_parts in (True, False) for form in forms]
