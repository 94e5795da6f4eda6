"""The model card of an ensemble: what a reader should know before relying on its scores."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from models.cards.layout import text_parts, without_marks
from models.cards.sections import sections_of
from readfirst.access.roles import Role
from worklist.security.policy import policy
from worklist.services.dependencies import SettingsDep
from worklist.services.model_cards import find_card
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)

Version = Annotated[str, Path(max_length=64)]


@router.get("/ensembles/{version}/card")
# It shows no patient's data, so nothing is noted.
@policy(Role.READER)
def card_page(request: Request, settings: SettingsDep, version: Version) -> Response:
    """The page; with status 404 where the files of the version are not on this machine."""
    card = find_card(version, settings.ensembles_path)
    context = {
        "version": version,
        "sections": () if card is None else sections_of(card),
        "parts": text_parts,
        "without_marks": without_marks,
    }
    status = 404 if card is None else 200
    return TEMPLATES.TemplateResponse(request, "model_card.html", context, status_code=status)
