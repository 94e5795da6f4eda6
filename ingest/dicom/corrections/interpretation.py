"""Photometric Interpretation (0028,0004), by how many samples a pixel really has."""

from pydicom.dataset import Dataset

from ingest.dicom.codestreams import Codestream

#: PS3.3 C.7.6.3.1.2: what one sample a pixel can be.
OF_ONE_SAMPLE = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")


def with_true_interpretation(dataset: Dataset, frame: Codestream | None) -> list[str]:
    """Write the interpretation that the samples of a pixel can have; MONOCHROME2 and RGB in doubt.

    frame: of compressed pixels, which says which colours it has. Returns what was set right.
    """
    written = str(dataset.get("PhotometricInterpretation") or "")
    declared = " ".join("".join(filter(str.isprintable, written)).upper().split())
    samples = int(dataset.SamplesPerPixel)
    true = declared
    if samples == 1 and declared not in OF_ONE_SAMPLE:
        true = "MONOCHROME2"
    elif samples == 3 and (declared in OF_ONE_SAMPLE or not declared):
        true = "RGB" if frame is None or frame.is_rgb else "YBR_FULL_422"
    dataset.add_new("PhotometricInterpretation", "CS", true)
    if true == declared or not declared:
        return []
    return [f"{samples} sample{'s' * (samples > 1)} a pixel cannot be {declared[:16]}"]
