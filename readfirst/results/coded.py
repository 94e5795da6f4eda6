"""Codes as the items of DICOM objects that highdicom makes."""

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept

from readfirst.results.codes import OWN_SCHEME
from readfirst.results.concepts import Code


def coded(first: Code, *others: Code) -> CodedConcept:
    """Return a code as an item, with the others as its equivalents (PS3.3 8.8)."""
    item, *equivalents = (
        CodedConcept(code.value, code.scheme, code.meaning) for code in (first, *others)
    )
    if equivalents:
        item.EquivalentCodeSequence = equivalents
    return item


def own_scheme() -> CodingSchemeIdentificationItem:
    """Return what says whose `99READFIRST` is (PS3.3 8.2)."""
    return CodingSchemeIdentificationItem(
        OWN_SCHEME, name="ReadFirst", responsible_organization="ReadFirst"
    )
