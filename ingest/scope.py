"""Which images are within the scope of the networks, by what their headers say. Pure."""

from readfirst.domain import Header
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: PS3.3 C.7.3.1.1.1. CR, DX and RG are projection radiography; OT and SC are what scanned or
#: converted films carry. A modality that is missing passes: many exports drop it.
RADIOGRAPHY = {"CR", "DX", "RG", "OT", "SC"}
#: PS3.3 C.8.11.5.1.1 and what devices write for laterals in View Position (0018,5101).
NOT_FRONTAL = {"LL", "RL", "LLD", "RLD", "LLO", "RLO", "LPO", "RPO", "LAO", "RAO"}


def check_scope(header: Header) -> None:
    """Pass an image whose header does not speak against it; missing tags never do.

    Raises Refused: not projection radiography, not frontal, or of several frames.
    """
    modality = (header.modality or "").upper()
    if modality and modality not in RADIOGRAPHY:
        raise Refused(RefusalCode.MODALITY_NOT_RADIOGRAPHY, modality)
    view = (header.view_position or "").upper()
    # LAT, LATERAL, LEFT LATERAL, LAT_L: what people write has many forms.
    if view in NOT_FRONTAL or "LAT" in view:
        raise Refused(RefusalCode.VIEW_NOT_FRONTAL, view)
    if header.number_of_frames > 1:
        raise Refused(RefusalCode.MULTI_FRAME, f"{header.number_of_frames} frames")
