"""A heat map for other systems: as a picture over its film, or as outlines to draw over it.

Off unless a site asks for it. Both say in plain sight that they are an AI's, and not for diagnosis.
"""

import numpy as np
from highdicom.content import PresentationLUTTransformation
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from highdicom.sc import SCImage
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)

from readfirst import DISCLAIMER
from readfirst.results.common import (
    FilledLater,
    equipment,
    finish,
    series_attributes,
    source_dataset,
)
from readfirst.results.uids import digest, instance_uid
from readfirst.results.values import AiResult, HeatMapPicture, Outline, Picture, ResultKind

#: The name of a graphic layer, and of a presentation (CS: 16 characters at most).
LAYER, LABEL = "AI", "READFIRST AI"
#: Height of the letters, and of a line, as a share of the picture's width; in pixels at least.
LETTERS, LEAST_LETTERS, LINE = 1 / 45, 10, 1.3

#: The Presentation LUT Shape that shows a film as it is (PS3.3 C.11.6).
SHAPES = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}
#: Films over which a presentation state may be laid here.
GREYSCALE = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)


class Capture(FilledLater, SCImage):
    """A Secondary Capture image."""


class Presentation(FilledLater, GrayscaleSoftcopyPresentationState):
    """A Grayscale Softcopy Presentation State."""


def heat_map_label(result: AiResult, heat: HeatMapPicture) -> str:
    """Return what stands in a heat map in plain sight."""
    version = result.algorithm.version
    return (
        f"AI heat map ({heat.method}, ReadFirst ensemble {version}): where the networks looked, "
        f"not a finding. Not for diagnosis. {DISCLAIMER}"
    )


def secondary_capture(result: AiResult, heat: HeatMapPicture) -> Dataset:
    """Make a picture of the film under its heat, in RGB, with a label in a band above the film."""
    pixels = labelled(heat.painted, heat_map_label(result, heat))
    image = heat.image
    capture = Capture(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=result.study.study_instance_uid,
        sop_instance_uid=instance_uid(ResultKind.SC, result, *_facts(heat)),
        instance_number=result.number,
        contributing_equipment=equipment(result),
        **series_attributes(ResultKind.SC, result),
    )
    # Often not known of a film; PS3.3 C.7.6.1.1.1 and C.7.3.1.1.2 let both be empty then.
    _set_or_empty(capture, "PatientOrientation", list(image.patient_orientation))
    _set_or_empty(capture, "Laterality", image.laterality)
    capture.Modality = "OT"
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.BurnedInAnnotation = "YES"
    capture.DerivationDescription = "AI heat map over the film; not for diagnosis"
    capture.ImageComments = heat_map_label(result, heat)
    capture.SourceImageSequence = [_source(heat)]
    return finish(capture, result, result.at)


def presentation_state(result: AiResult, heat: HeatMapPicture) -> Dataset:
    """Make outlines of the hottest regions and a label, to be drawn over the film itself.

    The film is shown as by itself otherwise. Raises ValueError where there is no outline, or the
    film does not say clearly how it is shown.
    """
    if not heat.outlines:
        raise ValueError("the heat map has no hot region")
    film = _shown_film(result, heat)
    layer = GraphicLayer(LAYER, 1, description="AI hot region, not for diagnosis")
    annotation = GraphicAnnotation(
        referenced_images=[film],
        graphic_layer=layer,
        graphic_objects=[
            GraphicObject("POLYLINE", _within(outline, heat), "PIXEL") for outline in heat.outlines
        ],
        text_objects=[_text_object(result, heat)],
    )
    state = Presentation(
        referenced_images=[film],
        sop_instance_uid=instance_uid(ResultKind.GSPS, result, *_facts(heat)),
        instance_number=result.number,
        content_label=LABEL,
        content_description="AI hot region, not for diagnosis",
        graphic_annotations=[annotation],
        graphic_layers=[layer],
        presentation_lut_transformation=PresentationLUTTransformation(
            presentation_lut_shape=SHAPES[film.PhotometricInterpretation]
        ),
        contributing_equipment=equipment(result),
        **series_attributes(ResultKind.GSPS, result),
    )
    # Always, since dciodvfy takes the pair for unknown where it is absent (PS3.3 C.7.3.1.1.2).
    _set_or_empty(state, "Laterality", heat.image.laterality)
    return finish(state, result, result.at)


def _shown_film(result: AiResult, heat: HeatMapPicture) -> Dataset:
    """Return the film with what says how it is shown. Raises ValueError if that is not clear."""
    film = source_dataset(result.study, heat.image)
    if heat.image.sop_class_uid not in GREYSCALE:
        raise ValueError(f"no radiograph: {heat.image.sop_class_uid}")
    film.update(Dataset.from_json(heat.presentation))
    if film.get("SamplesPerPixel") != 1 or film.get("PhotometricInterpretation") not in SHAPES:
        raise ValueError("no single grey value for each pixel")
    return film


def labelled(picture: Picture, label: str) -> Picture:
    """Return a picture with a text in a black band above it, so that nothing of it is covered.

    picture: (rows, columns, 3) uint8. The band is as high as the text needs.
    """
    columns = picture.shape[1]
    size = max(LEAST_LETTERS, round(columns * LETTERS))
    font = ImageFont.load_default(size)
    lines = _wrapped(label, font, columns - size)
    height = round(size * LINE)
    band = Image.new("RGB", (columns, height * len(lines) + size))
    draw = ImageDraw.Draw(band)
    for number, line in enumerate(lines):
        draw.text((size // 2, size // 2 + number * height), line, fill="white", font=font)
    return np.concatenate([np.asarray(band), picture])


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> list[str]:
    """Break a text at its spaces; a word that is too long keeps its line."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _text_object(result: AiResult, heat: HeatMapPicture) -> TextObject:
    columns = heat.image.columns
    return TextObject(
        heat_map_label(result, heat),
        "PIXEL",
        bounding_box=(1.0, 1.0, float(columns), max(2.0, heat.image.rows / 8)),
        text_justification="LEFT",
    )


def _within(outline: Outline, heat: HeatMapPicture) -> Outline:
    """Return the points of an outline, closed, and within the film (PS3.3 C.10.5)."""
    limits = (heat.image.columns, heat.image.rows)
    points = np.clip(outline, 0, limits).astype(np.float64)
    return points if np.array_equal(points[0], points[-1]) else np.vstack([points, points[:1]])


def _set_or_empty(dataset: Dataset, keyword: str, value: object) -> None:
    setattr(dataset, keyword, value or None)


def _source(heat: HeatMapPicture) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = heat.image.sop_class_uid
    item.ReferencedSOPInstanceUID = heat.image.sop_instance_uid
    return item


def _facts(heat: HeatMapPicture) -> list[object]:
    """Return what tells the heat maps of a result apart."""
    outlines = b"".join(outline.astype("<f8").tobytes() for outline in heat.outlines)
    pixels = digest(np.ascontiguousarray(heat.painted).tobytes() + outlines)
    return [heat.image.sop_instance_uid, heat.method, pixels]
