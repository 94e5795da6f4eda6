"""Texts of templates and scripts that no catalogue holds, and that so stay English."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "worklist" / "templates"
SCRIPTS = ROOT / "worklist" / "static"
GETTEXT = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
#: Attributes that a person reads or hears.
ATTRIBUTES = frozenset(
    {"title", "aria-label", "placeholder", "alt", "aria-roledescription", "data-label", "summary"}
)
#: Elements whose content is no text of a language.
UNSPOKEN = frozenset({"code", "kbd", "script", "style"})
#: Names, which are the same in each language.
NAMES = frozenset({"ReadFirst", "CSV", "VR", "AUC", "PPV"})
LETTERS = re.compile(r"[^\W\d_]{2,}")
#: An expression within a template, by its number.
MARK = re.compile("\x01(\\d+)\x01")
#: What looks like a text, and not like a value: a capital letter, or two words.
TEXT = re.compile(r"^[“‘(]?[A-Z][a-z]+\b|[^\W\d_]{2,} [^\W\d_]{2,}")
#: Strings of scripts that look like texts: keys, headers, and other names of the browser's own.
OF_THE_BROWSER = frozenset({"Delete", "Enter", "Escape", "Files", "Notification", "tbody tr"})
#: Arguments of these are selectors, and no texts.
SELECTING = frozenset({"closest", "matches", "querySelector", "querySelectorAll"})
#: What of a script is looked at, other than comments: strings, names that are called, and brackets.
TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|[\w.]+(?=\()|[()\[\]{}])""", re.S
)
#: A value within a template string; one within a value is looked at no further.
VALUE = re.compile(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}")
#: Selectors, addresses, markup and lengths.
NO_TEXT = re.compile(r"[\[\]<>=#]|^\.|\w-\w|/|\bpx\b")


def bare_texts_of_template(name: str) -> list[str]:
    """The texts of a template that are not wrapped."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.policies["ext.i18n.trimmed"] = True
    tree = environment.parse((TEMPLATES / name).read_text())
    expressions: list[nodes.Node] = []
    parser = _Texts(expressions)
    parser.feed("".join(_pieces(tree, expressions)))
    parser.close()
    return parser.bare


def _pieces(node: nodes.Node, expressions: list[nodes.Node]) -> Iterator[str]:
    """The HTML of a template, with a mark in place of each expression."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Output):
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                yield part.data
            else:
                expressions.append(part)
                yield f"\x01{len(expressions) - 1}\x01"
    elif isinstance(node, nodes.Assign):
        # Its value is shown somewhere, as if it stood here.
        expressions.append(node.node)
        yield f"<p>\x01{len(expressions) - 1}\x01</p>" if TEXT.search(_constants(node.node)) else ""
    else:
        for child in node.iter_child_nodes():
            yield from _pieces(child, expressions)


def _constants(node: nodes.Node) -> str:
    return "".join(f"{each.value}\n" for each in node.find_all(nodes.Const))


class _Texts(HTMLParser):
    """Collects the bare texts of a page."""

    def __init__(self, expressions: list[nodes.Node]) -> None:
        super().__init__()
        self.bare: list[str] = []
        self._expressions = expressions
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ATTRIBUTES and value:
                self._look(value)
        self._open.append((tag, tag in UNSPOKEN or dict(attributes).get("lang") == "en"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(unspoken for _, unspoken in self._open):
            self._look(data)

    def _look(self, text: str) -> None:
        plain = MARK.sub(" ", text).strip()
        # A macro may give an attribute.
        is_attribute = re.fullmatch(r'[\w-]+="\s*"', plain)
        if LETTERS.search(plain) and plain.rstrip(":") not in NAMES and not is_attribute:
            self.bare.append(plain)
        for number in MARK.findall(text):
            self.bare += _bare(self._expressions[int(number)])


def _bare(node: nodes.Node) -> Iterator[str]:
    """The strings that an expression shows as they are."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str) and LETTERS.search(node.value):
            yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _bare(node.expr1)
        if node.expr2 is not None:
            yield from _bare(node.expr2)
    elif isinstance(node, nodes.Or | nodes.Concat | nodes.Add | nodes.List | nodes.Tuple):
        for child in node.iter_child_nodes():
            # Of a table, the columns that are no texts are single small words.
            if not isinstance(node, nodes.List | nodes.Tuple) or TEXT.search(_constants(child)):
                yield from _bare(child)
    elif isinstance(node, nodes.Call):
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name not in GETTEXT:
            yield from (each for child in node.args for each in _bare(child) if TEXT.search(each))


def bare_texts_of_script(path: Path) -> list[str]:
    """The strings of a script that look like texts and go through no `gettext`."""
    return [
        text
        for text, function in _strings(path.read_text())
        if function not in GETTEXT | SELECTING and _looks_like_a_text(text)
    ]


def _strings(source: str) -> Iterator[tuple[str, str]]:
    """The strings of a script, and for each the function whose argument it is, or nothing.

    A value within a template is a script of its own; the template has a blank in its place.
    """
    # For each open bracket, the function that is called there.
    called: list[str] = []
    before = ""
    for token in filter(None, TOKENS.findall(source)):
        if token in "([{":
            called.append(before.split(".")[-1] if token == "(" else "")
        elif token in ")]}":
            called = called[:-1]
        elif token[0] in '"`':
            for value in VALUE.findall(token):
                yield from _strings(value)
            yield VALUE.sub(" ", token[1:-1]), called[-1] if called else ""
        before = token if token[0].isalpha() else ""


def _looks_like_a_text(text: str) -> bool:
    if text in OF_THE_BROWSER | NAMES:
        return False
    return bool(TEXT.search(text)) and not NO_TEXT.search(text)
