"""The evidence of an ensemble that was fitted to a site's own films, on its card."""

from models.cards.figures import change_table
from models.cards.layout import CardSection, quoted
from models.manifest import Adaptation
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext

#: The parts that were fitted, by the level of an adaptation.
FITTED_PARTS = {
    "calibration": "calibration",
    "operating_point": "calibration and threshold",
    "linear_layer": "calibration, threshold, and the last layer of each network",
}


def adaptation_section(adaptation: Adaptation) -> CardSection:
    """Write what was fitted to which films, and the figures before and after."""
    text = gettext(
        "Fitted to {films} labelled films of {patients} patients of a site, {pneumonia} of them "
        "with pneumonia. Fitted were: {parts}. It was ensemble {version} before."
    )
    texts = [
        text.format(
            films=number_text(adaptation.films),
            patients=number_text(adaptation.patients),
            pneumonia=number_text(adaptation.pneumonia),
            parts=gettext(FITTED_PARTS.get(adaptation.level, adaptation.level)),
            version=adaptation.ensemble,
        )
    ]
    if adaptation.left_out:
        reasons = (f"{quoted(reason)}: {count}" for reason, count in adaptation.left_out.items())
        texts.append(gettext("Films left out: {reasons}.").format(reasons=", ".join(reasons)))
    figures = adaptation.figures.get(adaptation.level, {})
    return CardSection(
        "adaptation",
        gettext("Fitted to a site's own films"),
        tuple(texts),
        (),
        (change_table(figures),) if figures else (),
    )
