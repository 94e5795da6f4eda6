"""The last step of filling a database: each study names the score that it ranks by."""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.tables import Image, Score, Study


def name_deciding_scores(session: Session, ensemble_version: str) -> None:
    """Let studies of one scored image each name its score, as ranking by this ensemble does."""
    own = select(Score.id).join(Image).where(Image.study_id == Study.id).scalar_subquery()
    is_new = Study.probability.is_not(None) & Study.score_id.is_(None)
    threshold = select(Score.threshold).join(Image).where(Image.study_id == Study.id)
    values = {
        "score_id": own,
        "ranked_by": ensemble_version,
        "threshold": threshold.scalar_subquery(),
        "threshold_version": 1,
    }
    session.execute(
        update(Study).where(is_new).values(values), execution_options={"synchronize_session": False}
    )
