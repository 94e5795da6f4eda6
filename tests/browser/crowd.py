"""Studies with the values that departments really have: long, foreign, missing."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from db.tables import EnsembleVersion, Study
from readfirst.studies.marks import MarkCode, mark
from tests.browser.site import Site
from tests.support.studies import a_header, a_ready_image, lifecycle, score_ready

LONG_ID = "HOSPITAL-NORTHWEST-0000000000000000123456789-A"
LONG_ACCESSION = "ACCESSION-0000000000000000123456789"
#: Patient's Name (PS3.5 6.2, PN) as it comes: of 64 characters and more, and right to left.
NAMES = (
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh^Hubert Blaine Maximilian^^Prof.^PhD",
    "عبد الرحمن الحسيني^محمد بن عبد العزيز",
    "Nguyễn^Thị Minh Khai",
    "Yamada^Tarou=山田^太郎",
    "Li^X",
)
#: Texts of an order as systems write them: no spaces, umlauts, right to left.
LONG_ORDER = {
    "institution_name": "Universitätskinderklinikum-Nordwest-Röntgendiagnostikabteilung",
    "study_description": "RADIOGRAPHY_THORAX_PA_AND_LATERAL_PORTABLE_BEDSIDE_PAEDIATRIC_V2.1",
    "reason_for_the_requested_procedure": "سعال وحمى منذ خمسة أيام مع ضيق في التنفس",
    "additional_patient_history": "asthma-since-2020/preterm-birth-29-weeks/allergy:penicillin" * 3,
}


def crowd(site: Site, count: int = 30) -> None:
    """Let studies come in, a third of them flagged, each half an hour after the one before."""
    now = datetime.now(UTC)
    for number in range(count):
        _study(site, number, now - timedelta(minutes=30 * (count - number)))


def _study(site: Site, number: int, at: datetime) -> None:
    header = a_header(
        patient_name=NAMES[number % len(NAMES)],
        patient_id=LONG_ID if number % 3 == 0 else f"P-{number}",
        patient_birth_date=date(2021, 5, 1),
        patient_sex="F",
        accession_number=f"ACC{'0' * (number % 10)}{number}",
        modality="DX",
        view_position="PA",
        study_datetime=at,
        **(LONG_ORDER if number % 4 == 0 else {}),
    )
    with lifecycle(site.worker.database, at) as unit:
        version = unit.session.scalars(select(EnsembleVersion.version)).one()
        image = a_ready_image(unit, at, header=header)
        if number % 5 == 1:
            image.marks = (mark(MarkCode.AGE_UNKNOWN), mark(MarkCode.VIEW))
        probability = 0.999 if number % 3 == 0 else 0.08
        score_ready(unit, at, {image.id: probability}, version, "1")
        # Nothing of it lies in the store, so there is no thumbnail.
        image.ready_at = None


def with_long_values(site: Site, study_instance_uid: str) -> None:
    """Give a study that has films the longest values."""
    with site.worker.database.write() as session:
        named = select(Study).where(Study.study_instance_uid == study_instance_uid)
        study = session.scalars(named).one()
        study.patient_name, study.patient_id = NAMES[0], LONG_ID
        study.accession_number = LONG_ACCESSION
        study.referring_physician_name = NAMES[1]
        for name, value in LONG_ORDER.items():
            setattr(study, name, value)
