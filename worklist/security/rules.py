"""The table of routes: the least role that each wants, and what is noted of it.

A route that is not here is for nobody; a test says so before a release does.
"""

from dataclasses import dataclass

from db.audit import Action
from readfirst.roles import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route wants.

    least: None for everybody, before any log-in. noted: the action in the audit log, if any.
    attended: whether it shows that a person is there; what a page asks by itself does not.
    """

    least: Role | None
    noted: Action | None = None
    attended: bool = True


EVERYBODY = Rule(None)

RULES: dict[str, Rule] = {
    "GET /static": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    # For programs with a token: it says how much a department does.
    "GET /metrics": Rule(Role.SERVICE, attended=False),
    "GET /login": EVERYBODY,
    "POST /login": EVERYBODY,
    "POST /logout": Rule(Role.READER),
    "GET /account": Rule(Role.READER),
    "POST /account/password": Rule(Role.READER),
    # The pages.
    "GET /": Rule(Role.READER, Action.LIST_VIEWED),
    # By a text.
    "POST /": Rule(Role.READER, Action.LIST_VIEWED),
    "GET /studies/{study_instance_uid}": Rule(Role.READER, Action.STUDY_VIEWED),
    # Noted with the verdict, in one transaction.
    "POST /studies/{study_instance_uid}/verdict": Rule(Role.READER),
    "GET /next": Rule(Role.READER),
    "GET /images/{sha256}/attributes": Rule(Role.READER, Action.STUDY_VIEWED),
    "GET /refused": Rule(Role.READER, Action.LIST_VIEWED),
    "GET /studies/{study_instance_uid}/film": Rule(Role.READER, Action.STUDY_VIEWED),
    # The list refreshes itself; it was noted when it was opened.
    "GET /rows": Rule(Role.READER, attended=False),
    "POST /rows": Rule(Role.READER, attended=False),
    # With the lists, which are noted.
    "GET /thumbnails/{sha256}.png": Rule(Role.SERVICE, attended=False),
    # The API.
    "GET /api/v1/openapi.json": Rule(Role.SERVICE),
    "GET /api/v1/worklist": Rule(Role.SERVICE, Action.LIST_VIEWED),
    "POST /api/v1/worklist/search": Rule(Role.SERVICE, Action.LIST_VIEWED),
    "GET /api/v1/studies/{study_instance_uid}": Rule(Role.SERVICE, Action.STUDY_VIEWED),
    "GET /api/v1/studies/{study_instance_uid}/scores": Rule(Role.SERVICE, Action.STUDY_VIEWED),
    "GET /api/v1/studies/{study_instance_uid}/verdicts": Rule(Role.SERVICE, Action.STUDY_VIEWED),
    # Noted with the verdict, in one transaction.
    "POST /api/v1/studies/{study_instance_uid}/verdicts": Rule(Role.READER),
    "GET /api/v1/verdicts": Rule(Role.SERVICE, Action.LIST_VIEWED),
    "GET /api/v1/images/{sha256}": Rule(Role.SERVICE, Action.STUDY_VIEWED),
    "GET /api/v1/images/{sha256}/thumbnail": Rule(Role.SERVICE, attended=False),
    "GET /api/v1/images/{sha256}/model-ready": Rule(Role.SERVICE, Action.IMAGE_VIEWED),
    "GET /api/v1/images/{sha256}/rendered": Rule(Role.SERVICE, Action.IMAGE_VIEWED),
    "GET /api/v1/images/{sha256}/pixels": Rule(Role.SERVICE, Action.IMAGE_VIEWED),
    "GET /api/v1/images/{sha256}/attributes": Rule(Role.SERVICE, Action.STUDY_VIEWED),
    "POST /api/v1/images/{sha256}/heat-maps": Rule(Role.READER, Action.HEAT_MAP_WANTED),
    # What is in work; the page asks by itself until it is made.
    "GET /api/v1/images/{sha256}/heat-maps": Rule(Role.SERVICE, attended=False),
    "GET /api/v1/images/{sha256}/heat-maps/{method}.png": Rule(Role.SERVICE, Action.IMAGE_VIEWED),
    "GET /api/v1/images/{sha256}/original": Rule(Role.SERVICE, Action.ORIGINAL_TAKEN),
    # It names studies and no patients, and a page keeps it open by itself.
    "GET /api/v1/events/stream": Rule(Role.SERVICE, attended=False),
    "GET /api/v1/refusals": Rule(Role.SERVICE, Action.LIST_VIEWED),
    "GET /api/v1/refusals/counts": Rule(Role.SERVICE),
    "GET /api/v1/inbox": Rule(Role.SERVICE),
    # What watches the AI.
    "GET /watching": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/volumes": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/refusals": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/times": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/verdicts": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/calibration": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/scanners": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/alerts": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    "GET /api/v1/watching/drift": Rule(Role.LEAD, Action.WATCHING_VIEWED),
    # The ways in.
    "POST /api/v1/uploads": Rule(Role.SERVICE, Action.UPLOADED),
    "POST /dicom-web/studies": Rule(Role.SERVICE, Action.UPLOADED),
    "POST /dicom-web/studies/{study_instance_uid}": Rule(Role.SERVICE, Action.UPLOADED),
}


def may_see(role: Role, route: str) -> bool:
    """Whether a role is enough for a route, as `GET /refused`; False where there is none."""
    rule = RULES.get(route)
    return rule is not None and (rule.least is None or role.may(rule.least))
