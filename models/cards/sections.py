"""A model card as sections of texts, lists and tables, in the reader's language.

Every form for people is written from these: the page and Markdown.
"""

from collections.abc import Iterable, Iterator

from models.cards.adaptation_section import adaptation_section
from models.cards.card import ModelCard
from models.cards.figures import (
    acquisition_table,
    change_table,
    evaluation_tables,
    figure_table,
    interval_text,
    number,
    refusal_table,
    source_table,
)
from models.cards.flat_rows import flat_rows
from models.cards.layout import CardSection, CardTable, quoted
from models.cards.population_section import population_section
from models.cards.unlike_section import unlike_section
from readfirst.formatting import readable_share
from readfirst.language.formats import number_text
from readfirst.language.texts import gettext
from readfirst.studies.marks import MARK_SENTENCES, MarkCode
from readfirst.studies.score_marks import OF_SCORES


def sections_of(card: ModelCard) -> tuple[CardSection, ...]:
    """Write a card as sections, in the order in which it is read."""
    return (
        _summary(card),
        CardSection("use", gettext("What it is for"), items=card.use.intended),
        CardSection("misuse", gettext("What it is not for"), items=card.use.not_intended),
        _population(card),
        _figures(card),
        *(population_section(each) for each in card.populations),
        CardSection("limits", gettext("Limits"), items=card.limits),
        _threshold(card),
        _probability(card),
        *(() if card.adaptation is None else (adaptation_section(card.adaptation),)),
        _marks(card),
        *(() if card.unlike is None else (unlike_section(card.unlike),)),
        _pixel_check(card),
        _data(card),
        *_others(card),
        _files(card),
    )


def _summary(card: ModelCard) -> CardSection:
    text = gettext(
        "Ensemble {version}, made on {day}, gives a frontal chest film a probability of pneumonia, "
        "and flags it from its threshold on. The answers of its networks are combined by their "
        "shares. Parameters in all: {parameters}."
    )
    text = text.format(
        version=card.version, day=card.created[:10], parameters=number_text(card.parameters)
    )
    rows = tuple(
        (
            quoted(member.name),
            quoted(member.network),
            f"{member.input_size} x {member.input_size}",
            number_text(member.parameters),
            readable_share(member.weight),
            str(len(member.views)),
        )
        for member in card.members
    )
    columns = (
        gettext("Member"),
        gettext("Network"),
        gettext("Input, pixels"),
        gettext("Parameters"),
        gettext("Share"),
        gettext("Framings"),
    )
    table = CardTable(gettext("Members"), columns, rows)
    return CardSection(
        "summary", gettext("What it is"), (text, _in_language(card.disclaimer)), (), (table,)
    )


def _population(card: ModelCard) -> CardSection:
    known = gettext("Ages: {first} to {last} years, both included.")
    ages = card.ages
    return CardSection(
        "population",
        gettext("On whom it was validated"),
        (
            quoted(card.population) or _not_known(),
            gettext("Ages: not known.")
            if ages is None
            else known.format(first=ages.from_years, last=ages.to_years),
        ),
    )


def _figures(card: ModelCard) -> CardSection:
    metrics = card.metrics
    of_whom = gettext(
        "On {images} held-out films, {pneumonia} of them with pneumonia, of {patients} patients "
        "whom it was not trained on."
    )
    if card.adaptation is not None:
        of_whom = gettext(
            "On {images} films of the site, {pneumonia} of them with pneumonia, of {patients} "
            "patients, each by a fit without its patient."
        )
    of_whom = of_whom.format(
        images=number_text(metrics.images),
        pneumonia=number_text(metrics.pneumonia),
        patients=number_text(metrics.patients),
    )
    figures = gettext(
        "Each figure has its 95 % interval, from a bootstrap over patients. Predictive values are "
        "at a prevalence of {prevalence}."
    ).format(prevalence=readable_share(metrics.prevalence))
    caption = gettext("Held-out films") if card.adaptation is None else gettext("Films of the site")
    tables = [figure_table(caption, metrics)]
    for evaluation in card.evaluations:
        tables += evaluation_tables(evaluation)
    return CardSection("figures", gettext("How good it is"), (of_whom, figures), (), tuple(tables))


def _threshold(card: ModelCard) -> CardSection:
    point = card.operating_point
    text = gettext(
        "The threshold is {threshold}. It was chosen on {images} films of {patients} patients: "
        "{method}."
    )
    texts = [
        text.format(
            threshold=number(card.threshold),
            images=number_text(point.images),
            patients=number_text(point.patients),
            method=quoted(point.method.rstrip(".")) or _not_known(),
        )
    ]
    if point.stated_sensitivity is not None:
        text = gettext("Sensitivity that was aimed at: {share}.")
        texts.append(text.format(share=readable_share(point.stated_sensitivity)))
    if point.miss_cost is not None:
        text = gettext("False alarms that one missed pneumonia weighs: {number}.")
        texts.append(text.format(number=number_text(point.miss_cost, "g")))
    tables = (acquisition_table(point),) if point.acquisitions else ()
    return CardSection(
        "threshold", gettext("How the threshold was chosen"), tuple(texts), (), tables
    )


def _probability(card: ModelCard) -> CardSection:
    scaling = card.calibration
    text = gettext(
        "The combined answer is scaled by Platt's method: probability = sigmoid({slope} x logit + "
        "{intercept}). Expected calibration error: {ece}."
    )
    texts = [
        text.format(
            slope=number(scaling.slope),
            intercept=number(scaling.intercept),
            ece=interval_text(card.metrics.ece),
        )
    ]
    if card.prevalence is None:
        texts.append(gettext("Share of pneumonia that its probabilities presuppose: not known."))
    else:
        text = gettext(
            "Its probabilities presuppose that {share} of the films show pneumonia; a site states "
            "its own share by READFIRST_PREVALENCE."
        )
        texts.append(text.format(share=readable_share(card.prevalence)))
    tables: tuple[CardTable, ...] = ()
    if card.recalibration is not None:
        text = gettext(
            "Its probabilities were fitted anew to {studies} studies of {patients} patients with a "
            "verdict, {pneumonia} of them with pneumonia. Its networks are those of ensemble "
            "{version}."
        )
        texts.append(
            text.format(
                studies=number_text(card.recalibration.studies),
                patients=number_text(card.recalibration.patients),
                pneumonia=number_text(card.recalibration.pneumonia),
                version=card.recalibration.ensemble,
            )
        )
        tables = (change_table(card.recalibration.figures),)
    return CardSection("probability", gettext("What a probability means"), tuple(texts), (), tables)


def _marks(card: ModelCard) -> CardSection:
    texts = [
        gettext(
            "A score is shown as not validated, and never as low, for these reasons; the rules of "
            "the site say which films are refused instead."
        )
    ]
    if len(card.members) > 1:
        texts.append(
            gettext(
                "Each score comes with what every member said. Where they lie on both sides of the "
                "threshold it is in doubt, and is never shown as low either."
            )
        )
    return CardSection(
        "marks",
        gettext("When a score is not validated"),
        tuple(texts),
        tuple(gettext(MARK_SENTENCES[code]) for code in _mark_codes(card)),
    )


def _mark_codes(card: ModelCard) -> Iterator[MarkCode]:
    """The marks that a film of this ensemble may have by its header."""
    for code in MARK_SENTENCES:
        if code in OF_SCORES:
            continue
        by_age = code in (MarkCode.ADULT, MarkCode.CHILD_OUTSIDE_POPULATION, MarkCode.AGE_UNKNOWN)
        if code is MarkCode.POPULATION_UNKNOWN:
            if card.ages is None:
                yield code
        elif not by_age or card.ages is not None:
            yield code


def _pixel_check(card: ModelCard) -> CardSection:
    check, title = card.pixel_check, gettext("What it refuses by the pixels")
    if check is None:
        return CardSection("pixel_check", title, (gettext("Nothing: it has no pixel check."),))
    text = gettext(
        "A network of {parameters} parameters refuses what is no upright frontal chest film. Of "
        "the held-out films it refuses {share} (95 % interval {low} to {high})."
    )
    text = text.format(
        parameters=number_text(check.parameters),
        share=readable_share(check.false_refusals.value),
        low=readable_share(check.false_refusals.low),
        high=readable_share(check.false_refusals.high),
    )
    others = (refusal_table(check),) if check.caught else ()
    chests = (source_table(check),) if check.sources else ()
    return CardSection("pixel_check", title, (text,), (), (*others, *chests))


def _data(card: ModelCard) -> CardSection:
    labels = (gettext("Source"), gettext("Split"), gettext("Licence of the weights"))
    values = (card.data.source, card.data.split, card.data.licence)
    return CardSection(
        "data",
        gettext("Data and licences"),
        items=tuple(
            f"{label}: {quoted(value) or _not_known()}"
            for label, value in zip(labels, values, strict=True)
        ),
    )


def _others(card: ModelCard) -> Iterator[CardSection]:
    if card.others:
        columns = (gettext("What"), gettext("Value"))
        tables = (
            CardTable(quoted(_in_words(name)), columns, _rows_of(value))
            for name, value in card.others.items()
        )
        yield CardSection("others", gettext("Further parts"), tables=tuple(tables))


def _rows_of(value: object) -> tuple[tuple[str, ...], ...]:
    facts = value if isinstance(value, dict) else {"": value}
    return tuple(
        (quoted(_in_words(name.removeprefix(": "))), quoted(text))
        for name, text in flat_rows(facts)
    )


def _files(card: ModelCard) -> CardSection:
    text = gettext("Version of the preprocessing: {version}. The files, by their digests:")
    table = CardTable(
        gettext("Files"), (gettext("File"), "SHA-256"), _sorted_rows(card.sha256.items())
    )
    texts = (text.format(version=card.preprocessing_version),)
    return CardSection("files", gettext("Versions and files"), texts, (), (table,))


def _sorted_rows(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    return tuple((quoted(name), digest) for name, digest in sorted(pairs))


def _in_language(text: str) -> str:
    """A text of a manifest that may be one of the code's own, which is translated."""
    translated = gettext(text)
    return quoted(text) if translated == text else translated


def _in_words(name: str) -> str:
    """A field as people read it: `false refusals` of `false_refusals`."""
    return name.replace("_", " ")


def _not_known() -> str:
    return gettext("not known")
