"""The storage classes of films that may be sent, in the syntaxes that can be read (PS3.4 B.5)."""

from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom.presentation import PresentationContext, build_context

from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from readfirst.destinations.commitment import STORAGE_COMMITMENT

#: PS3.4 A.4: what C-ECHO goes by.
VERIFICATION = UID("1.2.840.10008.1.1")
#: CR, DX and what scanned or converted films come as. Fluoroscopy and angiography carry none.
STORAGE_CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)


def supported_contexts() -> list[PresentationContext]:
    """The presentation contexts of the listener."""
    images = [build_context(storage, list(NATIVE + ENCAPSULATED)) for storage in STORAGE_CLASSES]
    little_endian: list[str | UID] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
    commitment = build_context(STORAGE_COMMITMENT, little_endian)
    # Who keeps what we sent calls us as SCP of the commitment (PS3.4 J.3.3, PS3.7 D.3.3.4).
    commitment.scu_role = commitment.scp_role = True
    return [*images, build_context(VERIFICATION, little_endian), commitment]
