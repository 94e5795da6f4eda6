"""Who may ask for which route, and what is noted: once more, apart from the routes.

A policy beside a route is easily changed with the route. This table has to be changed with it.
"""

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from worklist.security.policy import Policy

SERIES = "/dicom-web/studies/{study_instance_uid}/series/{series_instance_uid}"
INSTANCE = SERIES + "/instances/{sop_instance_uid}"
#: As `GET /path`; HEAD is a GET without its body.
ROUTES_BY_POLICY: dict[Policy, tuple[str, ...]] = {
    Policy(Role.LEAD): (
        "GET /api/v1/refusals/retries",
        "POST /api/v1/refusals/retries",
        "POST /refused/retry",
    ),
    Policy(None): (
        "GET /healthz",
        "GET /login",
        "POST /login",
        "GET /readyz",
        "GET /static",
    ),
    Policy(Role.SERVICE): (
        "GET /api/v1/docs",
        "GET /fhir/metadata",
        "GET /api/v1/openapi.json",
        "GET /api/v1/ensembles/{version}/card",
        "GET /api/v1/refusals/counts",
    ),
    Policy(Role.SERVICE, attended=False): (
        "GET /api/v1/images/{sha256}/heat-maps",
        "GET /metrics",
    ),
    Policy(Role.SERVICE, AuditAction.EVENTS_FOLLOWED, attended=False, each_time=False): (
        "GET /api/v1/events/stream",
    ),
    Policy(Role.SERVICE, AuditAction.THUMBNAIL_VIEWED, attended=False, each_time=False): (
        "GET /api/v1/images/{sha256}/thumbnail",
        "GET /dicom-web/studies/{study_instance_uid}/thumbnail",
        f"GET {SERIES}/thumbnail",
        f"GET {INSTANCE}/thumbnail",
        "GET /thumbnails/{sha256}.png",
    ),
    Policy(Role.SERVICE, AuditAction.INBOX_VIEWED): ("GET /api/v1/inbox",),
    Policy(Role.SERVICE, AuditAction.IMAGE_VIEWED): (
        "GET /api/v1/images/{sha256}/heat-maps/{method}.png",
        "GET /api/v1/images/{sha256}/model-ready",
        "GET /api/v1/images/{sha256}/overlay",
        "GET /api/v1/images/{sha256}/pixels",
        "GET /api/v1/images/{sha256}/rendered",
        f"GET {INSTANCE}/frames/{{frames}}",
        f"GET {INSTANCE}/rendered",
    ),
    Policy(Role.SERVICE, AuditAction.LIST_VIEWED): (
        "GET /api/v1/refusals",
        "GET /api/v1/verdicts",
        "GET /api/v1/worklist",
        "GET /dicom-web/instances",
        "GET /dicom-web/series",
        "GET /dicom-web/studies",
        "POST /api/v1/worklist/next",
        "POST /api/v1/worklist/search",
    ),
    Policy(Role.SERVICE, AuditAction.LIST_VIEWED, attended=False, each_time=False): (
        "GET /api/v1/worklist/readers",
    ),
    Policy(Role.SERVICE, AuditAction.ORIGINAL_TAKEN): (
        "GET /api/v1/images/{sha256}/original",
        "GET /dicom-web/studies/{study_instance_uid}",
        f"GET {SERIES}",
        f"GET {INSTANCE}",
    ),
    Policy(Role.SERVICE, AuditAction.STUDY_VIEWED): (
        "GET /fhir/{resource_type}",
        "GET /fhir/{resource_type}/{resource_id}",
        "GET /api/v1/images/{sha256}",
        "GET /api/v1/images/{sha256}/attributes",
        "GET /api/v1/studies/{study_instance_uid}",
        "GET /api/v1/studies/{study_instance_uid}/priors",
        "GET /api/v1/studies/{study_instance_uid}/scores",
        "GET /api/v1/studies/{study_instance_uid}/verdicts",
        "GET /dicom-web/studies/{study_instance_uid}/instances",
        "GET /dicom-web/studies/{study_instance_uid}/metadata",
        "GET /dicom-web/studies/{study_instance_uid}/series",
        f"GET {SERIES}/instances",
        f"GET {SERIES}/metadata",
        f"GET {INSTANCE}/metadata",
    ),
    Policy(Role.SERVICE, AuditAction.STUDY_VIEWED, attended=False, each_time=False): (
        "GET /api/v1/uploads/{sha256}",
    ),
    Policy(Role.SERVICE, AuditAction.UPLOADED): (
        "POST /api/v1/uploads",
        "POST /dicom-web/studies",
        "POST /dicom-web/studies/{study_instance_uid}",
    ),
    Policy(Role.READER): (
        "GET /account",
        "GET /ensembles/{version}/card",
        "POST /account/password",
        "POST /account/sessions/{number}/end",
        "POST /language",
        "POST /logout",
        "GET /next",
        "PUT /saved-filters",
        "POST /refused/{image_id}/dismiss",
        "DELETE /api/v1/studies/{study_instance_uid}/prior",
        "POST /studies/{study_instance_uid}/read-anyway",
        "POST /api/v1/studies/{study_instance_uid}/acknowledgement",
        "POST /studies/{study_instance_uid}/acknowledgement",
    ),
    Policy(Role.READER, attended=False): ("POST /studies/{study_instance_uid}/readers",),
    Policy(Role.READER, AuditAction.LIST_VIEWED, attended=False, each_time=False): (
        "GET /rows",
        "POST /rows",
    ),
    Policy(Role.READER, AuditAction.HEAT_MAP_WANTED): ("POST /api/v1/images/{sha256}/heat-maps",),
    Policy(Role.READER, AuditAction.LIST_VIEWED): (
        "GET /",
        "POST /",
        "GET /refused",
        "GET /refused.csv",
    ),
    Policy(Role.READER, AuditAction.STUDY_VIEWED): (
        "GET /images/{sha256}/attributes",
        "GET /studies/{study_instance_uid}",
        "GET /studies/{study_instance_uid}/film",
        "GET /studies/{study_instance_uid}/preview",
        "POST /api/v1/studies/{study_instance_uid}/verdicts",
        "POST /studies/{study_instance_uid}/verdict",
    ),
    Policy(Role.ADMIN, AuditAction.ADMIN_VIEWED): (
        "GET /admin",
        "GET /admin/accounts",
        "GET /api/v1/admin/accounts",
        "GET /api/v1/admin/accounts/{name}/sessions",
        "GET /admin/messages",
        "GET /api/v1/admin/messages",
        "GET /admin/rules",
        "GET /admin/ensembles",
        "GET /admin/ensembles/compare",
        "GET /api/v1/admin/ensembles/comparison",
        "GET /admin/settings",
        "GET /admin/destinations",
        "POST /admin/destinations/{name}",
        "GET /api/v1/admin/destinations",
        "POST /api/v1/admin/destinations/{name}/actions",
        "GET /api/v1/admin/ensembles",
        "GET /api/v1/admin/rules",
        "GET /api/v1/admin/settings",
        "GET /api/v1/admin/status",
        "POST /admin/accounts",
        "POST /admin/ensembles",
        "POST /api/v1/admin/ensembles/changes",
        "POST /admin/accounts/{name}",
        "POST /api/v1/admin/accounts",
        "POST /api/v1/admin/accounts/{name}/changes",
    ),
    Policy(Role.ADMIN): ("POST /admin/messages/{number}",),
    Policy(Role.ADMIN, AuditAction.LIST_VIEWED): (
        "GET /api/v1/admin/ensembles/comparison/studies",
    ),
    Policy(Role.ADMIN, AuditAction.FILM_EXPLAINED): (
        "POST /admin/rules/explanation",
        "POST /api/v1/admin/rules/explanation",
    ),
    Policy(Role.ADMIN, AuditAction.AUDIT_VIEWED): (
        "GET /admin/audit",
        "GET /admin/audit.csv",
        "GET /api/v1/admin/audit",
    ),
    Policy(Role.ADMIN, AuditAction.ADMIN_VIEWED, attended=False, each_time=False): (
        "GET /admin/status",
    ),
    Policy(Role.LEAD, AuditAction.ADMIN_VIEWED): (
        "GET /admin/acceptance",
        "POST /admin/acceptance",
        "GET /admin/acceptance/{number}.html",
        "GET /api/v1/admin/acceptances",
        "POST /api/v1/admin/acceptances",
        "POST /api/v1/admin/acceptances/{number}/signature",
        "GET /admin/thresholds",
        "POST /admin/thresholds",
        "GET /api/v1/admin/thresholds",
        "GET /api/v1/admin/thresholds/report",
        "POST /api/v1/admin/thresholds/changes",
    ),
    Policy(Role.LEAD, AuditAction.MONITORING_VIEWED): (
        "GET /api/v1/nights",
        "GET /api/v1/nights/{number}",
        "GET /api/v1/nights/{number}/studies",
        "GET /watching/night",
        "GET /api/v1/watching/alerts",
        "GET /api/v1/watching/calibration",
        "GET /api/v1/watching/drift",
        "GET /api/v1/watching/refusals",
        "GET /api/v1/watching/scanners",
        "GET /api/v1/watching/times",
        "GET /api/v1/watching/verdicts",
        "GET /api/v1/watching/volumes",
        "GET /watching",
    ),
}
POLICIES = {name: policy for policy, names in ROUTES_BY_POLICY.items() for name in names}
#: What stands for the parameters of paths, where a test says nothing else.
PATH_VALUES = {
    "method": "lime",
    "number": "1",
    "image_id": "1",
    "name": "somebody",
    "version": "2.0",
    "series_instance_uid": "1.2.4",
    "sop_instance_uid": "1.2.5",
    "frames": "1",
    "resource_type": "ImagingStudy",
    "resource_id": "1.2.3",
}


def filled(path: str, **values: str) -> str:
    """A path with values in place of its parameters."""
    return path.format(**(PATH_VALUES | values))
