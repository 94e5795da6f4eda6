"""Names and sentences that every form of a result says: SR, HL7 v2 and FHIR alike. Pure."""

from readfirst import DISCLAIMER
from readfirst.formatting import readable_probability
from readfirst.results.values import Algorithm, ImageResult
from readfirst.studies.marks import Validity, validity

MANUFACTURER = "ReadFirst"
MODEL = "ReadFirst ensemble"
#: The longest serial number, in characters (PS3.5 6.2, LO).
MOST_SERIAL = 64
#: What a result says of a film that is not flagged, in place of a finding.
NOT_FLAGGED = (
    "The threshold is not reached. This rules nothing out and lowers no priority: the film has to "
    "be read as any other."
)

#: What stands before a reason not to trust a score.
VALIDITY_LEADS = {
    Validity.IN_DOUBT: "In doubt",
    Validity.NOT_VALIDATED: "Not validated",
}


def serial_number(algorithm: Algorithm) -> str:
    """Return what tells two ensembles of one name apart: of its files, else its version."""
    return (algorithm.manifest_sha256 or algorithm.version)[:MOST_SERIAL]


def in_words(image: ImageResult) -> str:
    """Return the score of a film as a sentence."""
    return (
        f"AI: probability of pneumonia {readable_probability(image.probability)}, "
        f"threshold {readable_probability(image.threshold)}."
    )


def comments(image: ImageResult) -> list[str]:
    """Return all that a result says of a film in words: score, validity, disclaimer."""
    texts = [in_words(image)] + ([] if image.flagged else [NOT_FLAGGED])
    texts += [f"{VALIDITY_LEADS[validity([code])]}: {reason}" for code, reason in image.marks]
    return [*texts, DISCLAIMER]


def algorithm_parameters(algorithm: Algorithm, image: ImageResult) -> list[str]:
    """Return what the score of a film was made with, as TID 4019 has it: `threshold = 0.5`."""
    parameters = [
        f"threshold = {image.threshold:.6g}",
        f"threshold version = {image.threshold_version}",
    ]
    if algorithm.prevalence is not None:
        parameters.append(f"prevalence = {algorithm.prevalence:.6g}")
    if algorithm.manifest_sha256:
        parameters.append(f"manifest sha256 = {algorithm.manifest_sha256}")
    return parameters
