"""The interfaces are those of commit e3503c0, but for the changes that stand below."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.interface import interfaces

RECORDED = Path(__file__).parent
CHANGELOG = Path(__file__).parents[3] / "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that came or went on purpose, as a pattern, and where CHANGELOG.md tells of them."""

    lines: str
    changelog: str


MADE_HERE = "(study|sop)_instance_uid_made_here|invalid_study_instance_uid"
EXAM = (
    "study_description|requested_procedure_description|reason_for_the_requested_procedure|"
    "additional_patient_history"
)
FIGURE = "agreement|ensemble|probability_from|probability_below|code|scanner"
#: Schemas that only the routes of the administrator name.
ACCEPTANCE = "Acceptance(s|Record|Report)|GroupFigures|PromisedFigure|PromiseOutcome|Bin"
THRESHOLD = (
    "EnsembleThresholds|ThresholdRecord|ThresholdReport|ThresholdMethod|ThresholdChange"
    "|WantedThreshold|WantedThresholdChange|Evidence|Comparison|FiguresAt|ArrivalChange|Share|Interval"
)
ADMIN = (
    "SiteStatus|QueueRecord|DiskRecord|PartRecord|Part|CheckResult|SourceRecord|ImageState"
    "|AccountDetail|AccountChange|AddedAccount|ChangedAccount|Changed|Role|SessionRecord"
    "|AuditPage|AuditRecord|AuditAction|SiteRules|RulePart|RuleSource|Ages|FilmExplanation"
    "|EnsembleChange|EnsembleRecord|EnsembleState|SiteEnsembles|RescoringProgress|WantedChange|Figures"
    "|Outlook|Forecast|NightRecord|NightEnd"
    "|EnsembleChange|EnsembleRecord|EnsembleState|SiteEnsembles|RescoringProgress|ShadowProgress"
    "|WantedChange|Figures|ChangedStudies|ChangedStudy|EnsembleComparison|ComparedEnsemble"
    "|FlagAgreement|FlagChange|ReaderFigures|PairedFigure|Interval|Share"
    "|RuleFinding|Outcome|SiteSettings|SettingRecord|SettingSource|UnknownSetting|Body_explainFilm"
)
#: Schemas that only the model card names.
CARD = (
    "ModelCard|IntendedUse|TrainingData|EnsembleMember|FilmView|PlattScaling|OperatingPoint"
    "|AcquisitionResult|PixelCheck|Metrics|Estimate|Recalibration|ChangedFigure|Evaluation"
    "|EvaluatedGroup|JsonValue|UnlikeCheck|UnlikeFigures|MarkedShare"
    "|Adaptation|Population|PopulationEvidence|FiguresAgainst|PredictiveValues"
)
POPULATION = "PopulationRecord|FiguresAgainst|PredictiveValues|Interval|Ages"
OPENAPI = (
    Change(r"components schemas (Study|Score)View .*\bpopulation\b.*", "(`population`)"),
    Change(
        rf"(?s)components schemas ({POPULATION})\b.*",
        "*Ensembles* and `readfirst models show`",
    ),
    Change(
        rf"(?s)paths /api/v1/ensembles/\{{version\}}/card .*|components schemas ({CARD})\b.*",
        "`GET /api/v1/ensembles/{version}/card`",
    ),
    Change(
        r"(?s)paths /api/v1/admin/destinations.*|components schemas "
        r"(Destination(Action|Answer|Counts|Record|Status)|SiteDestinations|OutgoingRecord"
        r"|SendingState|WantedAction|Studies|Form) .*",
        "`GET /api/v1/admin/destinations`",
    ),
    Change(r"(?s)paths /api/v1/nights.*", "`GET /api/v1/nights/{number}`"),
    Change(
        r"(?s)components schemas (Night(Report|Change|Study)|ChangeCounts|Group(Kind|Record)) "
        r".*",
        "`GET /api/v1/nights/{number}`",
    ),
    Change(r".* description: (Maximum|Most) rows\.", "the user's words: *Maximum rows*"),
    Change(
        r".* description: (Sort order; only|What they are sorted by; nothing but) .*",
        "only `reading` sorts by urgency",
    ),
    Change(r".* description: (Reverse order|The other way round)[;,] .*", "*Reverse order*"),
    Change(
        r"(?s)paths /api/v1/refusals/retries .*|components schemas \w*Retr(y|ies)\w* .*",
        "`POST /api/v1/refusals/retries`",
    ),
    Change(
        r"components schemas RefusedView .*\b(patient_name|ready_at|read_at)\b.*",
        "has the patient and when it was read",
    ),
    Change(
        r"(?s)(paths /api/v1/worklist get parameters|components schemas Search) .*\bstat\b.*",
        "`stat=true` is a new filter",
    ),
    Change(r"components schemas (StudyView|Search) .*\bprior\b.*", "`prior` and `unread`"),
    Change(r"(?s)components schemas (KeptMessage|MessageCode)\b.*", "`GET /api/v1/admin/messages`"),
    Change(r"components schemas StudyView .*\breported_(at|by)\b.*", "`reported_by` in the API"),
    Change(r"components schemas (StudyView .*\border\b|OrderRecord) ?.*", "(`order` in the API)"),
    Change(r"paths /api/v1/worklist get .*\b(unread|prior) .*", "`prior` and `unread` in the API"),
    Change(r"(?s)paths /api/v1/studies/\{study_instance_uid\}/prior .*", "`DELETE …/prior`"),
    Change(r"(?s)paths /api/v1/studies/\{study_instance_uid\}/priors .*", "`GET …/priors`"),
    Change(r"components schemas (OtherStudy|OtherImage)\w* .*", "`GET …/priors`"),
    Change(r"components schemas EventView .*\bcause\b.*", "has an event that says why"),
    Change(r"paths /readyz get description: .*", "at `/readyz`, which has the check `work`"),
    Change(r"components schemas StudyView .*\bdeciding_image\b.*", "`deciding_image` names its"),
    Change(r"components schemas MarkCode enum: may_be_cut", "`may_be_cut`"),
    Change(
        r"components schemas MarkCode enum: (members_disagree|unlike_validated)",
        "(`members_disagree`, `unlike_validated`)",
    ),
    Change(
        r"components schemas ScoreView .*\b(marks|unlike)\b.*", "`marks` and `unlike` of a score"
    ),
    Change(r"(?s)components schemas (Mark|Validity) .*", "`validity` of a prior"),
    Change(r"components schemas RefusalCode enum: replaced_by_whole", "`replaced_by_whole`"),
    Change(r"components schemas WarningCode enum: headers_contradict", "`headers_contradict`"),
    Change(rf"components schemas (Study|Image)View .*\b({MADE_HERE})\b.*", "UIDs were made here"),
    Change(r"components schemas WarningCode enum: study_instance_uid_made_here", "is warned of"),
    Change(r"components schemas MarkCode enum: age_without_unit", "`age_without_unit`"),
    Change(r"components schemas MarkCode enum: age_contradicted", "`age_contradicted`"),
    Change(r"(?s)components schemas Measure description: .*", "of all verdicts of its time"),
    Change(r"components schemas Alive .*\bversion\b.*", "`/healthz` says the state alone"),
    Change(r"components schemas Measure description: (.|\n)*", "so do the figures against readers"),
    Change(r"components schemas NewVerdict properties displayed_image .*", "`displayed_image`"),
    Change(r"components schemas StudyView properties ai_hidden .*", "(`ai_hidden`)"),
    Change(r"components schemas VerdictView .*\bblind\b.*", "whether they were `blind`"),
    Change(r"paths /api/v1/images/\{sha256\}/overlay get .*", "`GET …/overlay`"),
    Change(rf"components schemas StudyView .*\b({EXAM}|prior_count)\b.*", "(`prior_count`)"),
    Change(r"components schemas ImageView .*\bbody_part_examined\b.*", "`body_part_examined`"),
    Change(r"(?s)paths /api/v1/worklist/readers get .*", "`GET /api/v1/worklist/readers`"),
    Change(
        r"(?s)components schemas (OpenStudyRecord|StudyReader) .*",
        "`GET /api/v1/worklist/readers`",
    ),
    Change(r"(?s)paths /api/v1/studies/\{.*\}/acknowledgement post .*", "`POST …/acknowledgement`"),
    Change(r"(?s)components schemas EscalationRecord .*", "`POST …/acknowledgement`"),
    Change(r"components schemas Judged enum: prevalence_not_set", "`prevalence_not_set`"),
    Change(
        r"(?s)paths /api/v1/worklist/next post .*|components schemas (Next\w+|Visit) .*",
        "`POST /api/v1/worklist/next`",
    ),
    Change(r"components schemas VerdictGroup .*", "behind a figure"),
    Change(rf"components schemas Search properties ({FIGURE})\b.*", "behind a figure"),
    Change(rf"paths /api/v1/worklist get parameters .*\b({FIGURE})\b.*", "behind a figure"),
    Change(r"(?s)paths /api/v1/admin/.*", "and the same in the API (`/api/v1/admin/…`)"),
    Change(rf"(?s)components schemas ({ADMIN})\b.*", "and the same in the API (`/api/v1/admin/…`)"),
    Change(r"tags administration .*", "and the same in the API (`/api/v1/admin/…`)"),
    Change(r"paths .* (summary|operationId|title): .*", "its operations are verbs with nouns"),
    Change(r"(?s)paths .* example\b.*", "names servers, security schemes, examples"),
    Change(r"(components securitySchemes|security|servers) .*", "security schemes, examples"),
    Change(r"paths /(healthz|readyz) get security: .*", "security schemes, examples"),
    Change(r"(?s)(paths /dicom-web/.* get|tags DICOMweb) .*", "QIDO-RS and WADO-RS"),
    Change(r"paths (/dicom-web/.*|/metrics) (get|post) .*", "examples and problems"),
    Change(r"paths /api/v1/uploads post requestBody .*", "examples and problems"),
    Change(
        r"(paths /api/v1/worklist get parameters|components schemas) (show|ReadFilter) .*",
        "`show=read`",
    ),
    Change(r"components schemas Search properties (show|unread) .*", "`show=read`"),
    Change(r"paths /api/v1/worklist get parameters unread .*", "`unread=` works"),
    Change(r"components schemas (Upload\w+) .*", "`already_here`"),
    Change(r"paths /api/v1/uploads(/\{sha256\} get| post description:) ?(.|\n)*", "`href`"),
    Change(r"components schemas StudyView .*\bnumber\b.*", "(`number` in the API)"),
    Change(r"components schemas (HTTP)?ValidationError .*", "examples and problems"),
    Change(r"components schemas \w+ .*\bthreshold_version\b.*", "(`threshold_version`)"),
    Change(r"(?s)components schemas (Measure|Volume) .*", "`threshold_versions`"),
    Change(
        r"(?s)components schemas (\w*Refusals|RefusalCount|Times|Scanner\w*|Drift) .*",
        "(`ensemble_versions`)",
    ),
    Change(rf"(?s)components schemas ({THRESHOLD})\b.*", "`/api/v1/admin/thresholds`"),
    Change(rf"(?s)components schemas ({ACCEPTANCE})\b.*", "`/api/v1/admin/acceptances`"),
)
BOUNDED = "timeout|limit|concurrency|port|epochs|miss-cost|seed|trials|samples|strongest|count"
HELP = (
    Change(r"(?s)readfirst models( fit-population)?: .*", "`readfirst models fit-population`"),
    Change(r"readfirst models train: .*pixel-check\.json.*", "--elsewhere DIR`"),
    Change(r"(?s)readfirst models( card)?: .*", "`readfirst models card VERSION`"),
    Change(r"(?s)readfirst models fit-unlike: .*", "`readfirst models fit-unlike`"),
    Change(r"readfirst inbox:   .*inbox.*", "the files that stay in the inbox"),
    Change(
        r"readfirst accounts( (show|enable|unlock|disable|token))?: .*",
        "`readfirst accounts show`, `enable`, `unlock` and `token --revoke`",
    ),
    Change(r"readfirst( \w+)*: .*<.*|.*--limit .*", "Switches show no"),
    Change(r"readfirst: .*", "groups the commands"),
    Change(r"readfirst( \w+)*:   (-\w, )?--[\w-]+( |$).*", "Switches show no type"),
    Change(r"readfirst( \w+)*: +Only what was refused by this code\.", "long lists of codes"),
    Change(r"(readfirst )?(study|verdict): .*", "take that number"),
    Change(r"readfirst (worklist|beat): .*", "one line a study"),
    Change(r"(readfirst )?accounts( disable| role)?: .*", "one line a study"),
    Change(r"readfirst worklist:   --priors .*", "`readfirst worklist --priors`"),
    Change(rf"[a-z ]+:   --({BOUNDED}) <(int|float)( range)?>  .*", "has an upper bound"),
    Change(r"readfirst retry:   --machine-faults  .*", "`readfirst retry --machine-faults`"),
    Change(r"readfirst (refused|retry):   --code <.*archive_unpacked.*>", "`replaced_by_whole`"),
    Change(
        r"(readfirst )?accounts( sessions)?: .*\bsessions\b.*|readfirst accounts sessions: .*",
        "`readfirst accounts sessions`",
    ),
    Change(r"(readfirst )?migrate: .*|readfirst:   migrate  .*", "`readfirst migrate`"),
    Change(r"readfirst worklist:   --(agreement|ensemble) <.*", "behind a figure"),
    Change(r"readfirst worklist: +Only studies of which the latest .*", "behind a figure"),
    Change(r"(?s)readfirst models( (add|promote|rollback|retire|golden))?: .*", "`models add`"),
    Change(
        r"(?s)readfirst models( export-verdicts)?: .*", "`readfirst models export-verdicts DIR`"
    ),
    Change(r"(?s)readfirst models recalibrate: .*", "`readfirst models recalibrate`"),
    Change(r"(?s)readfirst models( adapt)?: .*", "`readfirst models adapt`"),
    Change(r"readfirst models shadow: .*", "`readfirst models shadow 3.0`"),
    Change(
        r"readfirst models( compare)?: .*\b(site|[Cc]ompare)\b.*",
        "compare 2.0 3.0 --site`",
    ),
    Change(r"(?s)(readfirst )?acceptance: .*|readfirst:   acceptance .*", "`readfirst acceptance`"),
    Change(r"(?s)readfirst models( threshold)?: .*", "`readfirst models threshold`"),
    Change(r"readfirst score:   -o, --output .*", "`readfirst score --output FILE`"),
    Change(r"(?s)readfirst nights( \w+)?: .*|readfirst:   nights  .*", "`readfirst nights list`"),
    Change(r"readfirst doctor:   --fix-rights .*", "`readfirst doctor --fix-rights`"),
    Change(
        r"(readfirst )?results( write)?: .*|readfirst:   results .*", "`readfirst results write`"
    ),
    Change(r"readfirst results( write)?: .*", "`readfirst results write`"),
    Change(
        r"(?s)readfirst destinations( [\w-]+)?: .*|readfirst:   destinations .*",
        "`readfirst destinations`",
    ),
    Change(r"(?s)readfirst results check-template: .*", "`readfirst results check-template`"),
    Change(r"readfirst:   (hl7|mllp) .*", "`readfirst hl7 list`"),
    Change(r"(?s)readfirst (hl7|mllp)( [a-z-]+)?: .*", "`readfirst hl7 list`"),
    Change(r"readfirst doctor:   --send-test-mail .*", "`readfirst doctor --send-test-mail`"),
    Change(
        r"(?s)(readfirst )?(sources|fetch(es)?)( \w+)?: .*|readfirst:   (sources|fetch(es)?)  .*",
        "`readfirst fetch`",
    ),
)
SCHEMA = (
    Change(r"(scores|studies)\.population .*", "`scores.population` and `studies.population`"),
    Change(r"studies\.reported_(at|by) .*", "`studies.reported_at`"),
    Change(r"worklist_queries\b.*", "`worklist_queries`"),
    Change(r"patient_merges\b.*", "`patient_merges`"),
    Change(r"(hl7_messages|orders)\b.*", "`hl7_messages` and `orders`"),
    Change(r"studies\.flagged_by .*", "`studies.flagged_by`"),
    Change(r"announcements(\.night_id| FOREIGN KEY \['night_id'\]) .*", "`announcements.night_id`"),
    Change(r"(nights|rescored_studies)\b.*", "`nights` and `rescored_studies`"),
    Change(r"shadow_images\b.*", "`shadow_images`"),
    Change(r"(destinations|outgoing_results)\b.*", "`destinations` and `outgoing_results`"),
    Change(r"ensembles\.shadow_\w+ .*", "`ensembles.shadow_since`"),
    Change(r"scores\.(seconds|batch_size) .*", "`scores.seconds` and `scores.batch_size`"),
    Change(r"thresholds\b.*", "`thresholds`"),
    Change(r"acceptances\b.*", "`acceptances`"),
    Change(r"(scores|verdicts)\.threshold_version .*", "(`threshold_version`)"),
    Change(r"studies\.threshold(_version|_change)? .*", "`studies.threshold`"),
    Change(r"studies INDEX ix_studies_threshold_change .*", "`studies.threshold`"),
    Change(r"heartbeats.*", "`heartbeats`"),
    Change(r"accounts\.last_seen_at .*", "`accounts.last_seen_at`"),
    Change(r"accounts\.language .*", "`accounts.language`"),
    Change(r"wanted_retries.*", "`wanted_retries`"),
    Change(r"ensembles\.(retired_at|manifest_sha256) .*", "`ensembles.retired_at`"),
    Change(r"studies\.(prior_since|never_prior) .*", "`studies.prior_since`"),
    Change(r"studies INDEX ix_studies_(prior|unread)_.*order .*", "`studies.prior_since`"),
    Change(r"kept_days\b.*", "`kept_days`"),
    Change(rf"studies\.({EXAM}) .*", "`studies.study_description`"),
    Change(r"verdicts\.blind .*", "`verdicts.blind`"),
    Change(r"scores\.unlike .*", "`scores.unlike`"),
    Change(r"open_studies\b.*", "`open_studies`"),
    Change(r"escalations\b.*", "`escalations`"),
    Change(r"announcements\.(channel|batch) .*", "`escalations`"),
    Change(r"announcements\.(study_id|ensemble_version|probability) .*", "`escalations`"),
    Change(r"events\.cause .*", "has an event that says why"),
    Change(r"studies\.(score_id|ranked_by) .*", "`studies.score_id`"),
    Change(r"studies FOREIGN KEY \['score_id'\] .*", "`studies.score_id`"),
    Change(
        r"(audit|events|scores|verdicts) CREATE TRIGGER \w+_no_replace .*", "`INSERT OR REPLACE`"
    ),
    Change(r"login_sessions\.address .*", "`login_sessions.address`"),
    Change(r"accounts\.saved_filters .*", "`accounts.saved_filters`"),
    Change(r"announcements\.(next_attempt_at|lease_until|lease_token) .*", "`lease_until`"),
    Change(r"(images|heat_maps|announcements)\.(failures|excused) .*", "`failures` and `excused`"),
    Change(r"images INDEX ix_images_last_error .*", "`failures` and `excused`"),
    Change(r"work_faults.*", "`work_faults`"),
    Change(r"(sources|fetches)\b.*", "`sources` and `fetches`"),
    Change(r"prior_queries\b.*", "`prior_queries`"),
    Change(r"studies\.(study_instance_uid_made_here|invalid_study_instance_uid) .*", "made here"),
    Change(r"announcements INDEX ix_announcements_waiting .*", "`lease_until`"),
)


def unexplained(before: list[str], now: list[str], changes: tuple[Change, ...]) -> list[str]:
    """Return the lines that came (+) or went (-), and that no change explains."""
    gone, new = Counter(before) - Counter(now), Counter(now) - Counter(before)
    differing = [
        *(f"-{line}" for line in gone.elements()),
        *(f"+{line}" for line in new.elements()),
    ]
    return [
        line
        for line in differing
        if not any(re.fullmatch(change.lines, line[1:]) for change in changes)
    ]


def by_command(text: str) -> list[str]:
    """Return the lines of the help texts, each behind the name of its command."""
    commands = (section.splitlines() for section in text.split("## ") if section)
    return [f"{name}: {line}" for name, *lines in commands for line in lines]


def test_the_openapi_document_is_the_same(tmp_path: Path) -> None:
    """Also the names of its schemas: classes of programs are made of them."""
    before = json.loads((RECORDED / "openapi.json").read_text())
    now = json.loads(interfaces.as_json(interfaces.openapi(tmp_path)))
    lines = sorted(interfaces.flat(before)), sorted(interfaces.flat(now))
    assert unexplained(lines[0], lines[1], OPENAPI) == []


def test_the_help_of_each_command_is_the_same() -> None:
    before = by_command((RECORDED / "help.txt").read_text())
    assert unexplained(before, by_command(interfaces.help_texts()), HELP) == []


def test_the_schema_of_the_database_is_the_same(tmp_path: Path) -> None:
    before = (RECORDED / "schema.txt").read_text().splitlines()
    assert unexplained(before, interfaces.schema(tmp_path).splitlines(), SCHEMA) == []


@pytest.mark.parametrize("change", [*OPENAPI, *HELP, *SCHEMA], ids=lambda change: change.lines)
def test_every_change_stands_in_the_changelog(change: Change) -> None:
    assert change.changelog in re.sub(r"\s+", " ", CHANGELOG.read_text())


def test_what_nobody_explains_is_found() -> None:
    before, now = ["a: 1", "b: 2", "c: 3"], ["a: 1", "b: 3", "c: 4"]
    assert unexplained(before, now, (Change("c: .*", ""),)) == ["-b: 2", "+b: 3"]
