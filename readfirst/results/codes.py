"""The codes of results (PS3.16), and ReadFirst's own where the standard has none."""

from readfirst.results.concepts import Code
from readfirst.results.values import Assessment
from readfirst.studies.marks import Validity


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, meaning, "DCM")


def _sct(value: str, meaning: str) -> Code:
    return Code(value, meaning, "SCT")


def _own(value: str, meaning: str) -> Code:
    return Code(value, meaning, OWN_SCHEME)


#: The designator of codes that no standard has (PS3.16 8.2: private ones begin with 99).
OWN_SCHEME = "99READFIRST"
LANGUAGE = Code("en-US", "English (United States)", "RFC5646")
DEVICE = _dcm("121007", "Device")
PERSON = _dcm("121006", "Person")
PLAIN_CHEST_XRAY = _sct("399208008", "Plain chest X-ray")
LUNG = _sct("39607008", "Lung structure")
ARTIFICIAL_INTELLIGENCE = _dcm("123110", "Artificial Intelligence")
PROBABILITY = _dcm("122157", "Probability")
NO_UNITS = Code("1", "no units", "UCUM")
#: CID 240. There is no Absent: what reaches no threshold is not ruled out.
PRESENT = _sct("52101004", "Present")
COMMENT = _dcm("121106", "Comment")
OF_INTEREST = _dcm("113000", "Of Interest")
PROCESSING_EQUIPMENT = _dcm("109102", "Processing Equipment")
SOURCE = _sct("260753009", "Source")

VALIDITY = _own("VALIDITY", "Validity of the score")
VALIDITIES = {
    Validity.NOT_VALIDATED: _own("NOT_VALIDATED", "Not validated"),
    Validity.IN_DOUBT: _own("IN_DOUBT", "Networks disagree"),
}
ASSESSMENT = _own("ASSESSMENT", "Assessment of AI result")
ASSESSMENTS = {
    assessment: _own(assessment.name, f"AI result {assessment}") for assessment in Assessment
}
READER_FINDING = _own("READER_FINDING", "Finding of the reader")
READER_FINDINGS = {
    True: _own("PRESENT", "Finding seen by the reader"),
    False: _own("NOT_SEEN", "Finding not seen by the reader"),
    None: _own("UNCERTAIN", "Reader uncertain"),
}
