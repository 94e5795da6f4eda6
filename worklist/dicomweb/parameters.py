"""The UIDs in the paths of DICOMweb, and what its routes ask for."""

import re
from typing import Annotated

from fastapi import Depends, HTTPException, Path

from worklist.api.parameters import STUDY_UID
from worklist.dicomweb.study_objects import StudyObjects
from worklist.services.dependencies import of_application

UID = re.compile(STUDY_UID)


def _checked(uid: str) -> str:
    if not UID.fullmatch(uid):
        raise HTTPException(400, "A UID in the address is none: digits and dots, 64 at most.")
    return uid


async def _study(
    study_instance_uid: Annotated[str, Path(description="Study Instance UID.")],
) -> str:
    return _checked(study_instance_uid)


async def _series(
    series_instance_uid: Annotated[str, Path(description="Series Instance UID.")],
) -> str:
    return _checked(series_instance_uid)


async def _instance(
    sop_instance_uid: Annotated[str, Path(description="SOP Instance UID.")],
) -> str:
    return _checked(sop_instance_uid)


async def _frames(
    frames: Annotated[str, Path(description="Numbers from 1, with commas between them.")],
) -> list[int]:
    numbers = frames.split(",")
    if not all(each.isascii() and each.isdigit() and len(each) < 7 for each in numbers):
        raise HTTPException(400, "Frames are whole numbers from 1, with commas between them.")
    listed = [int(each) for each in numbers]
    if 0 in listed:
        raise HTTPException(400, "The first frame is 1.")
    if len(set(listed)) < len(listed):
        # All frames of a file fit into memory once.
        raise HTTPException(400, "Each frame is named once.")
    return listed


StudyPath = Annotated[str, Depends(_study)]
SeriesPath = Annotated[str, Depends(_series)]
InstancePath = Annotated[str, Depends(_instance)]
FramesPath = Annotated[list[int], Depends(_frames)]
ObjectsDep = Annotated[StudyObjects, of_application("dicomweb")]
