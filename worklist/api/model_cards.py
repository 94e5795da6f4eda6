"""The model cards of the ensembles."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from models.cards.card import ModelCard
from readfirst.access.roles import Role
from worklist.http.problems import NOT_FOUND
from worklist.http.responses import NOT_MODIFIED, answer_json
from worklist.security.policy import policy
from worklist.services.dependencies import SettingsDep
from worklist.services.model_cards import find_card

router = APIRouter(tags=["scores"])

Version = Annotated[str, Path(max_length=64, description="Version of an ensemble.")]


@router.get(
    "/ensembles/{version}/card",
    operation_id="getModelCard",
    response_model=ModelCard,
    responses=NOT_FOUND | NOT_MODIFIED,
)
# It shows no patient's data, so nothing is noted.
@policy(Role.SERVICE)
def model_card(request: Request, settings: SettingsDep, version: Version) -> Response:
    """Purpose, population, figures, threshold, data and limits of an ensemble, by its manifest."""
    card = find_card(version, settings.ensembles_path)
    if card is None:
        raise HTTPException(404, "The files of this ensemble are not on this machine.")
    return answer_json(request, card)
