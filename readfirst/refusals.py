"""Reasons why an image is not scored: every code, with its sentence for the reader."""

from enum import StrEnum

from readfirst.language.texts import with_detail


class RefusalCode(StrEnum):
    """The codes. They are stored and exported, so a code is never renamed."""

    EMPTY_FILE = "empty_file"
    TRUNCATED = "truncated"
    NOT_AN_IMAGE = "not_an_image"
    DICOM_UNREADABLE = "dicom_unreadable"
    TRANSFER_SYNTAX_UNSUPPORTED = "transfer_syntax_unsupported"
    NO_PIXEL_DATA = "no_pixel_data"
    MULTI_FRAME = "multi_frame"
    TOO_LARGE = "too_large"
    PIXELS_UNREADABLE = "pixels_unreadable"
    DECODER_CRASHED = "decoder_crashed"
    DECODER_TIMEOUT = "decoder_timeout"
    MODALITY_NOT_RADIOGRAPHY = "modality_not_radiography"
    IMAGE_TYPE_NOT_A_FILM = "image_type_not_a_film"
    FOR_PROCESSING = "for_processing"
    BODY_PART_NOT_CHEST = "body_part_not_chest"
    VIEW_NOT_FRONTAL = "view_not_frontal"
    LATERALITY_ONE_SIDE = "laterality_one_side"
    ANNOTATION_BURNED_IN = "annotation_burned_in"
    ADULT = "adult"
    CHILD_OUTSIDE_POPULATION = "child_outside_population"
    AGE_UNKNOWN = "age_unknown"
    NOT_A_CHEST_RADIOGRAPH = "not_a_chest_radiograph"
    SOP_INSTANCE_UID_CONFLICT = "sop_instance_uid_conflict"
    ALREADY_ACCEPTED = "already_accepted"
    REPLACED_BY_WHOLE = "replaced_by_whole"
    PATIENT_CONFLICT = "patient_conflict"
    ORIGINAL_MISSING = "original_missing"
    PROCESSING_FAILED = "processing_failed"
    ARCHIVE_NOT_OPENED = "archive_not_opened"
    ARCHIVE_ENCRYPTED = "archive_encrypted"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    ARCHIVE_UNREADABLE = "archive_unreadable"
    ARCHIVE_WITHOUT_IMAGES = "archive_without_images"
    ARCHIVE_UNPACKED = "archive_unpacked"
    DICOM_INDEX = "dicom_index"


#: The codes by which releases before machine faults were told apart refused good films for them.
MACHINE_FAULTS = (
    RefusalCode.DECODER_CRASHED,
    RefusalCode.DECODER_TIMEOUT,
    RefusalCode.PROCESSING_FAILED,
)

SENTENCES: dict[RefusalCode, str] = {
    RefusalCode.EMPTY_FILE: "The file holds no bytes; send it again.",
    RefusalCode.TRUNCATED: "The file ends before its image does; send it again.",
    RefusalCode.NOT_AN_IMAGE: (
        "The content is neither DICOM nor JPEG, PNG, TIFF, BMP or WebP, whatever its name."
    ),
    RefusalCode.DICOM_UNREADABLE: "The DICOM header cannot be read.",
    RefusalCode.TRANSFER_SYNTAX_UNSUPPORTED: "The pixels are encoded in a way not supported here.",
    RefusalCode.NO_PIXEL_DATA: "The DICOM object carries no image.",
    RefusalCode.MULTI_FRAME: "The object holds several frames; only single films are scored.",
    RefusalCode.TOO_LARGE: "The image is larger than any radiograph and was not opened.",
    RefusalCode.PIXELS_UNREADABLE: "The pixel data cannot be decoded.",
    RefusalCode.DECODER_CRASHED: "The decoder died on this image.",
    RefusalCode.DECODER_TIMEOUT: "The decoder did not finish this image in time.",
    RefusalCode.MODALITY_NOT_RADIOGRAPHY: "The modality is not plain radiography.",
    RefusalCode.IMAGE_TYPE_NOT_A_FILM: "Localizer or auxiliary image.",
    RefusalCode.FOR_PROCESSING: (
        "The image is raw (FOR PROCESSING); send the one that is FOR PRESENTATION."
    ),
    RefusalCode.BODY_PART_NOT_CHEST: "The film is said to show another part of the body.",
    RefusalCode.VIEW_NOT_FRONTAL: "The view is not frontal; the networks know frontal films only.",
    RefusalCode.LATERALITY_ONE_SIDE: "The film is said to show one side of the body only.",
    RefusalCode.ANNOTATION_BURNED_IN: "Writing is burned into the pixels, and may sway the score.",
    RefusalCode.ADULT: "The patient is an adult; the networks were not validated on adults.",
    RefusalCode.CHILD_OUTSIDE_POPULATION: (
        "The child is outside the ages that the networks were validated on."
    ),
    RefusalCode.AGE_UNKNOWN: "The age is unknown; the networks were validated on some ages only.",
    RefusalCode.NOT_A_CHEST_RADIOGRAPH: "Not an upright frontal chest image.",
    RefusalCode.SOP_INSTANCE_UID_CONFLICT: (
        "Another image with other pixels already has this SOP Instance UID; both are kept."
    ),
    RefusalCode.REPLACED_BY_WHOLE: (
        "It was the beginning of a film, and zeros; the whole film has come in and replaced it."
    ),
    RefusalCode.ALREADY_ACCEPTED: "The same film is accepted from another file.",
    RefusalCode.PATIENT_CONFLICT: (
        "The same film is here already under another patient; find out whose it is."
    ),
    RefusalCode.ORIGINAL_MISSING: "The stored original is gone, so it cannot be decoded again.",
    RefusalCode.ARCHIVE_NOT_OPENED: (
        "An archive is opened only by itself in the inbox, not inside another; unpack it first."
    ),
    RefusalCode.ARCHIVE_ENCRYPTED: "The archive has a password; send it without one.",
    RefusalCode.ARCHIVE_TOO_LARGE: "The archive holds too much to be unpacked; send smaller ones.",
    RefusalCode.ARCHIVE_UNREADABLE: "The archive is damaged or cannot be unpacked; send it again.",
    RefusalCode.ARCHIVE_WITHOUT_IMAGES: "The archive holds no image.",
    RefusalCode.ARCHIVE_UNPACKED: "What the archive holds has come in by itself.",
    RefusalCode.DICOM_INDEX: "The index of an export (DICOMDIR) holds no image and is not needed.",
    RefusalCode.PROCESSING_FAILED: "Scoring failed repeatedly; the last error is given.",
}

#: Of files without a film that a reader could wait for: they stand under *Not scored* and in the
#: counts, and not between patients on the worklist.
WITHOUT_FILM = frozenset(
    {
        RefusalCode.EMPTY_FILE,
        RefusalCode.NOT_AN_IMAGE,
        RefusalCode.ARCHIVE_WITHOUT_IMAGES,
        RefusalCode.ARCHIVE_UNPACKED,
        RefusalCode.DICOM_INDEX,
    }
)


def refusal_text(code: str | None, reason: str) -> str:
    """Return the reason why an image is not scored in the reader's language, detail and all.

    code: of the reason, one of `RefusalCode`, or None. reason: as it is kept.
    """
    return with_detail(SENTENCES[RefusalCode(code)] if code in set(RefusalCode) else "", reason)
