"""The flag as a Key Object Selection, which every PACS shows."""

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom.dataset import Dataset

from readfirst import DISCLAIMER
from readfirst.results import codes
from readfirst.results.coded import coded
from readfirst.results.common import (
    FilledLater,
    device_context,
    equipment,
    finish,
    order_items,
    series_attributes,
    source_dataset,
)
from readfirst.results.uids import instance_uid
from readfirst.results.values import AiResult, ResultKind
from readfirst.results.words import in_words
from readfirst.studies.marks import Validity

#: What is said of flagged films whose scores have marks.
CAVEATS = {
    Validity.NOT_VALIDATED: "Not validated for such a film.",
    Validity.IN_DOUBT: "The networks disagree about such a film.",
}


class Selection(FilledLater, KeyObjectSelectionDocument):
    """A Key Object Selection document."""


def key_objects(result: AiResult) -> Dataset:
    """Make the selection of the flagged films, the most suspicious first (TID 2010).

    Raises ValueError where none is flagged: there is nothing to point at, and nothing to withdraw.
    """
    if not result.flagged:
        raise ValueError("no film of the study is flagged")
    films = [source_dataset(result.study, image.image) for image in result.flagged]
    texts = [in_words(image) for image in result.flagged[:1]]
    validities = {image.validity for image in result.flagged}
    texts += [text for validity, text in CAVEATS.items() if validity in validities]
    document = Selection(
        evidence=films,
        content=KeyObjectSelection(
            document_title=coded(codes.OF_INTEREST),
            referenced_objects=films,
            observer_device_context=device_context(result.algorithm),
            description=" ".join([*texts, DISCLAIMER]),
        ),
        sop_instance_uid=instance_uid(ResultKind.KOS, result),
        instance_number=result.number,
        requested_procedures=order_items(result.study),
        contributing_equipment=equipment(result),
        **series_attributes(ResultKind.KOS, result),
    )
    return finish(document, result, result.at)
