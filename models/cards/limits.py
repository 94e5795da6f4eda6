"""The limits of an ensemble in plain sentences, as far as its manifest tells them."""

from collections.abc import Iterator

from models.manifest import Manifest, PixelCheck
from readfirst.formatting import readable_share
from readfirst.language.texts import gettext


def limits_of(manifest: Manifest) -> Iterator[str]:
    """Say what an ensemble cannot do, and what nobody knows of it."""
    yield _missed(manifest.metrics.sensitivity.value)
    yield gettext(
        "Its figures are of patients apart from those of the training, but of the same source. On "
        "films of other hospitals and devices they may be worse: measure it on your own films."
    )
    yield gettext(
        "How good it is by sex, by device and by origin of the patients is not known, unless a "
        "table on this card says so."
    )
    yield _limit_of_ages(manifest)
    yield from _limits_of_check(manifest.pixel_check)
    yield from _missing(manifest)


def _missed(sensitivity: float) -> str:
    text = gettext(
        "A film that is not flagged may show pneumonia: {share} of the held-out films with "
        "pneumonia were not flagged."
    )
    return text.format(share=_rest(sensitivity))


def _rest(share: float) -> str:
    """Write what a share leaves; rounded, since 1 less 0.9 is a little less than 0.1."""
    return readable_share(round(1 - share, 9))


def _limit_of_ages(manifest: Manifest) -> str:
    ages = manifest.ages
    if ages is None:
        return gettext("The ages of its patients are not known: no score counts as validated.")
    text = gettext(
        "Patients younger than {first} or older than {last} years were not among those that its "
        "main figures are of."
    )
    return text.format(first=ages.from_years, last=ages.to_years)


def _limits_of_check(check: PixelCheck | None) -> Iterator[str]:
    if check is None:
        yield gettext(
            "It has no pixel check: it gives a probability to any image, also to one that is no "
            "frontal chest film."
        )
    elif check.caught:
        kind, caught = min(check.caught.items(), key=lambda pair: pair[1])
        if caught < 1:
            text = gettext(
                "The pixel check lets other images through: at worst {share} of a kind ({kind})."
            )
            yield text.format(share=_rest(caught), kind=kind)


def _missing(manifest: Manifest) -> Iterator[str]:
    if manifest.prevalence is None:
        yield gettext(
            "Which share of pneumonia its probabilities presuppose is not known, so they cannot be "
            "restated for a site."
        )
    if manifest.metrics.ppv is None or manifest.metrics.npv is None:
        yield gettext(
            "Its predictive values are not known: it flagged all or none of the held-out films."
        )
    if not manifest.operating_point.acquisitions:
        yield gettext("Its threshold was not tried on films that were acquired otherwise.")
    if len(manifest.members) == 1:
        yield gettext("It is a single network: no other one can disagree with it.")
    if manifest.unlike is None:
        yield gettext(
            "It does not tell from the pixels whether a film is unlike the validated ones."
        )
    if manifest.reference is None:
        yield gettext("It has no reference: drift is held against the first weeks of a site alone.")
    if manifest.golden is None:
        yield gettext(
            "It has no scores of the sample films, so no other machine can check what it computes."
        )
