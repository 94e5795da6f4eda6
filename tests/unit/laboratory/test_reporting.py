"""The report: numbers against small cases worked by hand, and files that stand on their own."""

import base64
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from laboratory.evaluation.disagreement import Disagreement
from laboratory.evaluation.evaluate_ensemble import EvaluatedModel
from laboratory.evaluation.metrics import figures
from laboratory.reporting import plots
from laboratory.reporting.comparison_plot import comparison_plot, spread
from laboratory.reporting.curves import (
    SWEEP,
    average_precision,
    false_negatives,
    false_positives,
    precision_recall,
    roc,
    subgroups,
    sweep,
)
from laboratory.reporting.figures import as_svg
from laboratory.reporting.gallery import gallery
from laboratory.reporting.report import FIGURES, numbers_of, write_report
from models.manifest import Estimate, Metrics
from readfirst import DISCLAIMER
from readfirst.statistics.confusion import Confusion
from readfirst.statistics.shares import wilson_interval

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0])
PROBABILITIES = np.array([0.95, 0.8, 0.62, 0.2, 0.7, 0.31, 0.12, 0.04])
GROUPS = np.array(["bacterial"] * 2 + ["viral"] * 2 + ["normal-1"] * 2 + ["normal-2"] * 2)
PATIENTS = np.array(["p1", "p1", "p2", "p3", "n1", "n2", "n3", "n4"])
NAMES = ("p1_bacteria_1", "p1_bacteria_2", "p2_virus_1", "p3_virus_1", "n1", "n2", "n3", "n4")
CURVES = {
    "cnn": {
        "epoch": [0.0, 1.0],
        "loss": [0.5, 0.4],
        "val_loss": [0.6, math.nan],
        "auc": [0.8, 0.9],
        "val_auc": [0.7, 0.85],
    }
}
VOID = {"meta", "img", "br", "hr", "link", "input"}


def stated(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> Metrics:
    """The figures with made-up intervals: no bootstrap, to be quick."""
    point = figures(labels, probabilities, threshold, 0.2)
    estimates = {
        name: None if math.isnan(value) else Estimate(value=value, low=value / 2, high=1.0)
        for name, value in point.items()
    }
    return Metrics(
        images=len(labels),
        patients=7,
        pneumonia=int(labels.sum()),
        prevalence=0.2,
        **estimates,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> EvaluatedModel:
    folder = tmp_path_factory.mktemp("films") / "secret-folder"
    folder.mkdir()
    paths = tuple(folder / f"{name}.png" for name in NAMES)
    for grey, path in enumerate(paths):
        Image.new("L", (40 + grey, 30), 20 * grey).save(path)
    return EvaluatedModel(
        name="ensemble <2.0> & $co$",
        threshold=0.6,
        labels=LABELS,
        probabilities=PROBABILITIES,
        patients=PATIENTS,
        groups=GROUPS,
        paths=paths,
        metrics=stated(LABELS, PROBABILITIES, 0.6),
        curves=CURVES,
        disagreement=Disagreement(
            films=2,
            share=Estimate(value=0.25, low=0.0, high=0.5),
            wrong=Estimate(value=0.5, low=0.0, high=1.0),
            wrong_otherwise=None,
        ),
    )


def flawless(model: EvaluatedModel) -> EvaluatedModel:
    """Another model, without errors or curves, on films in another order."""
    probabilities = np.array([0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    return replace(
        model,
        name="capstone-cnn",
        threshold=0.4,
        probabilities=probabilities,
        paths=model.paths[::-1],
        metrics=stated(LABELS, probabilities, 0.4),
        curves={},
        disagreement=None,
    )


def silent(model: EvaluatedModel) -> EvaluatedModel:
    """The model at a threshold at which it flags nobody."""
    return replace(model, threshold=0.99, metrics=stated(LABELS, PROBABILITIES, 0.99))


@pytest.fixture(scope="module")
def two(model: EvaluatedModel) -> list[EvaluatedModel]:
    return [model, flawless(model)]


@pytest.fixture(scope="module")
def report_of_two(two: list[EvaluatedModel], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(two, tmp_path_factory.mktemp("reports") / "new" / "two")


@pytest.fixture(scope="module")
def report_of_one(model: EvaluatedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([silent(model)], tmp_path_factory.mktemp("reports") / "one")


def test_sweep_holds_every_step_and_the_operating_point_in_order() -> None:
    rows = sweep(LABELS, PROBABILITIES, 0.61, 0.2)
    assert [row.threshold for row in rows] == sorted([*SWEEP, 0.61])
    assert {0.05, 0.5, 0.95} <= set(SWEEP)
    assert len(SWEEP) == 19
    assert len(sweep(LABELS, PROBABILITIES, 0.5, 0.2)) == 19


def test_sweep_agrees_with_hand_and_with_the_evaluation() -> None:
    rows = {row.threshold: row for row in sweep(LABELS, PROBABILITIES, 0.61, 0.2)}
    half = rows[0.5]
    assert half.confusion == Confusion(
        true_positives=3, false_negatives=1, false_positives=1, true_negatives=3
    )
    # By Bayes: 0.75 * 0.2 / (0.75 * 0.2 + 0.25 * 0.8), and 0.75 * 0.8 / (0.75 * 0.8 + 0.25 * 0.2).
    assert half.ppv == pytest.approx(0.15 / 0.35)
    assert half.npv == pytest.approx(0.60 / 0.65)
    for threshold, row in rows.items():
        expected = figures(LABELS, PROBABILITIES, threshold, 0.2)
        for name in ("sensitivity", "specificity", "accuracy", "f1"):
            assert getattr(row.confusion, name) == pytest.approx(expected[name])


def test_sweep_knows_no_predictive_value_of_nobody() -> None:
    rows = sweep(np.array([1, 0]), np.array([0.6, 0.4]), 0.5, 0.2)
    assert rows[-1].ppv is None
    assert rows[-1].npv == pytest.approx(0.8)
    assert rows[0].npv is None


def test_roc_and_precision_recall_of_a_case_by_hand() -> None:
    labels, probabilities = np.array([1, 0, 1, 0]), np.array([0.9, 0.7, 0.5, 0.1])
    curve = roc(labels, probabilities)
    assert list(zip(curve.x, curve.y, strict=True)) == [
        (0, 0),
        (0, 0.5),
        (0.5, 0.5),
        (0.5, 1),
        (1, 1),
    ]
    assert curve.thresholds[0] == math.inf
    points = precision_recall(labels, probabilities)
    assert (1.0, pytest.approx(2 / 3)) in list(zip(points.x, points.y, strict=True))
    assert (points.x[-1], points.y[-1], points.thresholds[-1]) == (0, 1, math.inf)
    assert len(points.x) == len(points.y) == len(points.thresholds)
    assert average_precision(labels, probabilities) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_subgroups_by_hand(model: EvaluatedModel) -> None:
    groups = {group.group: group for group in subgroups(model)}
    assert list(groups) == ["bacterial", "viral", "normal-1", "normal-2"]
    viral, normal = groups["viral"], groups["normal-1"]
    assert (viral.images, viral.patients, viral.flagged, viral.pneumonia) == (2, 2, 1, True)
    assert (viral.right, viral.low, viral.high) == (0.5, *wilson_interval(1, 2))
    # 0.62 and 0.2 against 0.7, 0.31, 0.12, 0.04: three and two of four pairs are in order.
    assert viral.auc == pytest.approx(5 / 8)
    assert groups["bacterial"].patients == 1
    assert groups["bacterial"].auc == 1.0
    assert (normal.flagged, normal.share_flagged, normal.right) == (1, 0.5, 0.5)
    # 0.7 and 0.31 against 0.95, 0.8, 0.62, 0.2: two and three of four pairs are in order.
    assert normal.auc == pytest.approx(5 / 8)
    assert (groups["normal-2"].right, groups["normal-2"].high) == (1.0, 1.0)


def test_errors_come_worst_first(model: EvaluatedModel) -> None:
    strict = replace(model, threshold=0.9)
    assert false_negatives(strict) == [3, 2, 1]
    assert false_positives(strict) == []
    lax = replace(model, threshold=0.1)
    assert false_negatives(lax) == []
    assert false_positives(lax) == [4, 5, 6]


def test_answers_and_films_must_agree_in_number(model: EvaluatedModel) -> None:
    with pytest.raises(ValueError, match="differ in number"):
        replace(model, paths=model.paths[1:])
    with pytest.raises(ValueError, match="both classes"):
        replace(model, labels=np.ones(8, dtype=int))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([0.5], [0.5]),
        ([0.5, 0.5], [0.5, 0.6]),
        ([0.9, 0.9], [0.8, 0.9]),
        ([0.1, 0.5, 0.55], [0.1, 0.5, 0.6]),
        ([2.0], [0.9]),
    ],
)
def test_labels_are_spread(wanted: Sequence[float], expected: Sequence[float]) -> None:
    assert spread(wanted, 0.1, 0.1, 0.9) == pytest.approx(expected)


def test_labels_that_cannot_fit_are_evenly_spread() -> None:
    assert spread([0.5, 0.5, 0.5], 0.9, 0.0, 1.0) == pytest.approx([0.0, 0.5, 1.0])


def test_a_gallery_shows_at_most_twelve(model: EvaluatedModel) -> None:
    figure = gallery(model.paths * 2, [0.25] * 16)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 12
    assert panels[0].get_title() == "p1_bacteria_1.png\n0.250"
    with pytest.raises(ValueError, match="no film"):
        gallery([], [])


def test_a_plot_follows_the_theme_and_shares_no_id(model: EvaluatedModel) -> None:
    first, second = (as_svg(plots.roc_plot([model]), prefix) for prefix in ("a", "b"))
    assert "var(--blue)" in first
    assert not set(re.findall(r'\bid="([^"]+)"', first)) & set(
        re.findall(r'\bid="([^"]+)"', second)
    )
    used = re.findall(r'href="#([^"]+)"', first) + re.findall(r"url\(#([^)]+)\)", first)
    assert used
    assert set(used) <= set(re.findall(r'\bid="([^"]+)"', first))


class Page(HTMLParser):
    """Checks that tags nest, and gathers what the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.resources: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            elif name in {"src", "srcset", "data"}:
                self.resources.append(value or "")
            elif name in {"href", "xlink:href"}:
                self.anchors.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    return page


def words_of(report: Path) -> str:
    return " ".join(parsed(report.read_text(encoding="utf-8")).words)


def test_the_page_stands_on_its_own(report_of_two: Path) -> None:
    html = report_of_two.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    page = parsed(html)
    assert {"html", "table", "svg", "figure"} <= page.tags
    assert not {"script", "link", "iframe", "object", "foreignobject", "metadata"} & page.tags
    assert "http" not in html
    assert "@import" not in html
    assert "url(" not in html.replace("url(#", "")
    assert page.resources
    assert all(address.startswith("data:image/png;base64,") for address in page.resources)
    assert len(page.ids) == len(set(page.ids))
    assert all(anchor.startswith("#") for anchor in page.anchors)
    assert {anchor.removeprefix("#") for anchor in page.anchors} <= set(page.ids)


def test_the_page_says_who_and_what(two: list[EvaluatedModel], report_of_two: Path) -> None:
    words = words_of(report_of_two)
    assert words.index(DISCLAIMER) < words.index("Side by side")
    for model in two:
        # Title, contents, table, heading, and the comparing plots.
        assert words.count(model.name) >= 5
    for name in FIGURES.values():
        assert name in words
    assert "0.750 (0.375 – 1.000)" in words
    assert "films on which its members disagree 0.250 (0.000 – 0.500) –" in words
    assert "of these wrong at the threshold 0.500 (0.000 – 1.000) –" in words
    assert "The models answered different films:" in words
    assert "Precision against recall" in words


def test_a_model_alone_is_not_compared(report_of_one: Path) -> None:
    words = words_of(report_of_one)
    assert "Precision against recall" not in words
    assert "same films" not in words
    assert "answered different films" not in words


def test_models_of_the_same_films_are_told_apart_from_others(two: list[EvaluatedModel]) -> None:
    same = replace(two[1], paths=two[0].paths)
    assert numbers_of([two[0], same])["same_films"] is True
    assert numbers_of(two)["same_films"] is False


def test_films_are_named_where_a_gallery_shows_them_and_nowhere_else(report_of_two: Path) -> None:
    html = report_of_two.read_text("utf-8")
    for text in (html, report_of_two.with_name("report.json").read_text("utf-8")):
        # 0.2 is missed, 0.7 is a false alarm; all else is right.
        assert text.count("p3_virus_1.png") == 1
        assert text.count("n1.png") == 1
        assert not any(f"{name}.png" in text for name in NAMES if name not in {"p3_virus_1", "n1"})
        assert "secret-folder" not in text
        assert '"p1"' not in text
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", html)
    assert len(pictures) == 2
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)


def test_a_model_without_errors_or_curves_is_said_to_be(report_of_two: Path) -> None:
    words = words_of(report_of_two)
    assert words.count("None.") == 2
    assert words.count("No curves of the training were given.") == 1


def test_a_model_that_flags_nobody(report_of_one: Path) -> None:
    assert "nan" not in words_of(report_of_one).lower().split()
    numbers = json.loads(report_of_one.with_name("report.json").read_text("utf-8"))
    assert numbers["models"][0]["precision"] is None
    assert numbers["models"][0]["metrics"]["ppv"] is None
    assert numbers["models"][0]["false_positives"] == {"images": 0, "worst": []}


def test_a_model_that_flags_nobody_has_no_point_among_others(two: list[EvaluatedModel]) -> None:
    labels = [text.get_text() for text in comparison_plot([silent(two[0]), two[1]]).axes[0].texts]
    assert labels == ["capstone-cnn\nrecall 1.000, precision 1.000"]


def test_json_holds_the_same_numbers_and_no_nan(
    two: list[EvaluatedModel], report_of_two: Path
) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = report_of_two.with_name("report.json").read_text("utf-8")
    numbers = json.loads(text, parse_constant=refuse)
    assert numbers == numbers_of(two)
    first = numbers["models"][0]
    assert first["name"] == two[0].name
    assert Metrics.model_validate(first["metrics"]) == two[0].metrics
    assert first["disagreement"]["share"]["value"] == 0.25
    assert numbers["models"][1]["disagreement"] is None
    assert first["confusion"] == {
        "true_positives": 3,
        "false_negatives": 1,
        "false_positives": 1,
        "true_negatives": 3,
    }
    assert [row["threshold"] for row in first["sweep"] if row["operating_point"]] == [0.6]
    low, high = wilson_interval(0, 1)
    assert first["reliability"][0] == {
        "start": 0.0,
        "end": 0.1,
        "count": 1,
        "mean_probability": 0.04,
        "observed": 0.0,
        "low": low,
        "high": high,
    }
    assert first["reliability"][4] == {
        "start": 0.4,
        "end": 0.5,
        "count": 0,
        "mean_probability": None,
        "observed": None,
        "low": None,
        "high": None,
    }
    assert first["roc"]["thresholds"][0] is None
    assert first["training"]["cnn"]["val_loss"] == [0.6, None]
    assert first["false_negatives"] == {
        "images": 1,
        "worst": [{"film": "p3_virus_1.png", "probability": 0.2}],
    }


def test_the_same_models_give_the_same_files(
    model: EvaluatedModel, report_of_one: Path, tmp_path: Path
) -> None:
    again = write_report([silent(model)], tmp_path)
    for name in ("report.html", "report.json"):
        assert again.with_name(name).read_bytes() == report_of_one.with_name(name).read_bytes()


def test_a_report_needs_models_with_names_of_their_own(
    model: EvaluatedModel, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="needs a model"):
        write_report([], tmp_path)
    with pytest.raises(ValueError, match="share a name"):
        write_report([model, model], tmp_path)
