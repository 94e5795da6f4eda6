"""The codes of results (PS3.16), and ReadFirst's own where the standard has none."""

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept

from readfirst.results.concepts import Code
from readfirst.results.values import Assessment
from readfirst.studies.marks import Validity


def _dcm(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, "DCM", meaning)


def _sct(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, "SCT", meaning)


#: The designator of codes that no standard has (PS3.16 8.2: private ones begin with 99).
OWN_SCHEME = "99READFIRST"
LANGUAGE = CodedConcept("en-US", "RFC5646", "English (United States)")
DEVICE = _dcm("121007", "Device")
PERSON = _dcm("121006", "Person")
PLAIN_CHEST_XRAY = _sct("399208008", "Plain chest X-ray")
LUNG = _sct("39607008", "Lung structure")
ARTIFICIAL_INTELLIGENCE = _dcm("123110", "Artificial Intelligence")
PROBABILITY = _dcm("122157", "Probability")
NO_UNITS = CodedConcept("1", "UCUM", "no units")
#: CID 240. There is no Absent: what reaches no threshold is not ruled out.
PRESENT = _sct("52101004", "Present")
COMMENT = _dcm("121106", "Comment")
OF_INTEREST = _dcm("113000", "Of Interest")
PROCESSING_EQUIPMENT = _dcm("109102", "Processing Equipment")
SOURCE = _sct("260753009", "Source")

VALIDITY = CodedConcept("VALIDITY", OWN_SCHEME, "Validity of the score")
VALIDITIES = {
    Validity.NOT_VALIDATED: CodedConcept("NOT_VALIDATED", OWN_SCHEME, "Not validated"),
    Validity.IN_DOUBT: CodedConcept("IN_DOUBT", OWN_SCHEME, "Networks disagree"),
}
ASSESSMENT = CodedConcept("ASSESSMENT", OWN_SCHEME, "Assessment of AI result")
ASSESSMENTS = {
    assessment: CodedConcept(assessment.name, OWN_SCHEME, f"AI result {assessment}")
    for assessment in Assessment
}
READER_FINDING = CodedConcept("READER_FINDING", OWN_SCHEME, "Finding of the reader")
READER_FINDINGS = {
    True: CodedConcept("PRESENT", OWN_SCHEME, "Finding seen by the reader"),
    False: CodedConcept("NOT_SEEN", OWN_SCHEME, "Finding not seen by the reader"),
    None: CodedConcept("UNCERTAIN", OWN_SCHEME, "Reader uncertain"),
}


def own_scheme() -> CodingSchemeIdentificationItem:
    """Return what says whose `99READFIRST` is (PS3.3 8.2)."""
    return CodingSchemeIdentificationItem(
        OWN_SCHEME, name="ReadFirst", responsible_organization="ReadFirst"
    )


def concept(codes: tuple[Code, ...]) -> CodedConcept:
    """Return the first code, with the others as its equivalents (PS3.3 8.8)."""
    first, *others = (CodedConcept(code.value, code.scheme, code.meaning) for code in codes)
    if others:
        first.EquivalentCodeSequence = others
    return first
