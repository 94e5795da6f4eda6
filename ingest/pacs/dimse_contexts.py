"""Presentation contexts of the client: what is asked for in its association (PS3.8 7.1.1.13)."""

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext, build_context, build_role

from ingest.dicom.syntaxes import ENCAPSULATED, NATIVE
from ingest.receivers.contexts import STORAGE_CLASSES, VERIFICATION
from readfirst.pacs.source import Retrieval

#: PS3.4 C.6.2.3: Study Root Query/Retrieve Information Model.
FIND = UID("1.2.840.10008.5.1.4.1.2.2.1")
MOVE = UID("1.2.840.10008.5.1.4.1.2.2.2")
GET = UID("1.2.840.10008.5.1.4.1.2.2.3")
#: Of the objects that are no images: what every PACS reads.
PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def requested_contexts(
    retrieval: Retrieval,
) -> tuple[list[PresentationContext], list[SCP_SCU_RoleSelectionNegotiation]]:
    """The contexts of a source, and the roles in them.

    For C-GET we are the SCP of the storage classes (PS3.7 D.3.3.4). Each compressed syntax has a
    context of its own, so that the PACS need not decode what it has.
    """
    models = (VERIFICATION, FIND, MOVE if retrieval is Retrieval.C_MOVE else GET)
    contexts = [build_context(model, list(PLAIN)) for model in models]
    if retrieval is not Retrieval.C_GET:
        return contexts, []
    for storage in STORAGE_CLASSES:
        contexts.append(build_context(storage, list(NATIVE)))
        contexts += [build_context(storage, syntax) for syntax in ENCAPSULATED]
    return contexts, [build_role(storage, scp_role=True) for storage in STORAGE_CLASSES]
