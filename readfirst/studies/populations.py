"""Populations, findings and groups of films as people call them; others keep their own names."""

from readfirst.language.texts import gettext

#: By the name in a manifest.
POPULATION_WORDS = {
    "adults": "adults",
    "adults-ap": "adults, AP",
    "adults-pa": "adults, PA",
    "children": "children",
    "adolescents": "adolescents",
}
FINDING_NAMES = {"lung opacity": "lung opacity"}
#: What films with the finding are held against; a view may stand before it, as in `AP: normal`.
GROUP_NAMES = {
    "everything else": "everything else",
    "normal": "normal",
    "abnormal no opacity": "abnormal, without opacity",
    "normal, copies of another source": "normal, copies of another source",
}


def population_text(name: str) -> str:
    """Return the name of a population in the reader's language."""
    return gettext(POPULATION_WORDS.get(name, name))


def film_group_text(name: str) -> str:
    """Return the name of a group of films in the reader's language, its view and all."""
    view, colon, group = name.rpartition(": ")
    return view + colon + gettext(GROUP_NAMES.get(group, group))


def film_finding_text(name: str) -> str:
    """Return the finding that a population's probabilities are of, in the reader's language."""
    return gettext(FINDING_NAMES.get(name, name))
