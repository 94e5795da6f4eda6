"""The names of the ways in which a threshold is chosen."""

from enum import StrEnum


class ThresholdMethod(StrEnum):
    """The ways in which a threshold is chosen. Stored, so a value is never renamed."""

    #: It came with the ensemble.
    MANIFEST = "manifest"
    #: The highest at which at least this share of the sick cases is flagged.
    SENSITIVITY = "sensitivity"
    #: The lowest at which at least this share of the healthy cases is not flagged.
    SPECIFICITY = "specificity"
    #: The one whose cost is least, where a missed case weighs as much as so many false alarms.
    MISS_COST = "miss_cost"
    #: Somebody named it.
    VALUE = "value"
