"""The addresses of DICOMweb: the paths below its root."""

from worklist.http import DICOMWEB_ROOT

STUDY = "/studies/{study_instance_uid}"
SERIES = STUDY + "/series/{series_instance_uid}"
INSTANCE = SERIES + "/instances/{sop_instance_uid}"


def retrieve_url(study_uid: str, series_uid: str = "", instance_uid: str = "") -> str:
    """Return the Retrieve URL (0008,1190) of a study, series or instance, on this server."""
    path = INSTANCE if instance_uid else SERIES if series_uid else STUDY
    uids = {
        "study_instance_uid": study_uid,
        "series_instance_uid": series_uid,
        "sop_instance_uid": instance_uid,
    }
    return DICOMWEB_ROOT + path.format(**uids)
