"""An order raises its study, whichever comes first, and nothing lowers it again."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.lifecycle.arrivals import News, add_copy
from db.lifecycle.events import Cause, EventAction
from db.lifecycle.ris.orders import raise_by_orders, take_order
from db.ris.messages import forget_messages
from db.ris.orders import orders_of_studies
from db.tables import Event, Image, OrderRow, Study
from db.worklist.queries import study_detail
from readfirst.domain import Urgency
from readfirst.errors import MessageRefused
from readfirst.ris.codes import MessageCode
from readfirst.ris.values import ImagingOrder
from readfirst.studies.identity import Patient
from tests.support.studies import AS_STORED, NOW, a_copy_of, a_header, an_image, written

LUCIA = Patient(patient_id="P1", patient_name="Ejemplo^Lucia", patient_birth_date=date(1980, 1, 1))
URGENT = ImagingOrder(
    accession_number="A1",
    patient=LUCIA,
    priority="S",
    is_urgent=True,
    indication="Cough",
    ward="ICU",
)


def film(session: Session, study: str = "1.1", **header: object) -> Image:
    usual = {
        "accession_number": "A1",
        "patient_id": "P1",
        "patient_name": "Ejemplo^Lucia",
        "patient_birth_date": date(1980, 1, 1),
    }
    return an_image(session, NOW, study=study, header=a_header(**(usual | header)))


def order(session: Session, **changes: object) -> None:
    with written(session, NOW) as unit:
        take_order(unit, replace(URGENT, **changes))  # type: ignore[arg-type]


def the_study(session: Session, uid: str = "1.1") -> Study:
    session.expire_all()
    return session.scalars(select(Study).where(Study.study_instance_uid == uid)).one()


def actions(session: Session) -> list[tuple[str, str | None]]:
    kept = (EventAction.RAISED_TO_STAT, EventAction.ORDER_CANCELLED)
    query = select(Event).where(Event.action.in_(kept)).order_by(Event.id)
    return [(event.action, event.cause) for event in session.scalars(query)]


@pytest.mark.parametrize("first", ["order", "film"])
def test_an_urgent_order_raises_its_study_whichever_comes_first(
    session: Session, first: str
) -> None:
    if first == "order":
        order(session)
    film(session)
    if first == "film":
        order(session)
    study = the_study(session)
    assert study.stat
    assert [image.urgency for image in study.images] == [Urgency.STAT]
    assert actions(session) == [(EventAction.RAISED_TO_STAT, Cause.ORDER)]


def test_neither_a_lower_priority_nor_a_cancellation_lowers_what_was_raised(
    session: Session,
) -> None:
    film(session)
    order(session)
    order(session, priority="R", is_urgent=False)
    assert the_study(session).stat
    order(session, is_cancelled=True)
    order(session, is_cancelled=True)
    assert the_study(session).stat
    assert actions(session) == [
        (EventAction.RAISED_TO_STAT, Cause.ORDER),
        (EventAction.ORDER_CANCELLED, Cause.ORDER),
    ]


def test_a_film_that_was_stat_by_itself_stays_so(session: Session) -> None:
    film(session, stat=True)
    order(session, priority="R", is_urgent=False)
    assert the_study(session).stat


@pytest.mark.parametrize(
    "before",
    [{"is_urgent": False, "priority": "R"}, {"is_cancelled": True}, {"accession_number": "A2"}],
)
def test_an_order_that_is_not_urgent_or_not_its_own_raises_nothing(
    session: Session, before: dict[str, object]
) -> None:
    order(session, **before)
    film(session)
    assert not the_study(session).stat


def test_the_order_of_another_patient_is_not_that_of_the_study(session: Session) -> None:
    order(session, patient=Patient(patient_id="P2"))
    film(session)
    study = the_study(session)
    assert not study.stat
    assert orders_of_studies(session, [study]) == {}
    with pytest.raises(MessageRefused) as refused:
        order(session, patient=Patient(patient_id="P2"))
    assert refused.value.code is MessageCode.PATIENT_DIFFERS


def test_a_copy_that_brings_the_accession_number_brings_the_order(session: Session) -> None:
    order(session)
    image = film(session, accession_number=None)
    assert not the_study(session).stat
    with written(session, NOW) as unit:
        add_copy(unit, a_copy_of(image, NOW), image, News(header=a_header(accession_number="A1")))
    assert the_study(session).stat


def test_later_messages_fill_in_and_correct_the_order(session: Session) -> None:
    order(session, indication=None)
    order(session, ward=None, priority=None, is_urgent=False, indication="Fever")
    film(session)
    study = the_study(session)
    record = orders_of_studies(session, [study])[study.id]
    assert (record.indication, record.ward, record.priority) == ("Fever", "ICU", "S")
    assert study.stat, "a message without a priority says nothing of it"
    assert len(session.scalars(select(OrderRow)).all()) == 1


def test_the_record_of_a_study_has_its_order(session: Session) -> None:
    order(session)
    film(session)
    detail = study_detail(session, "1.1", display=AS_STORED)
    assert detail is not None
    assert detail.study.order is not None
    assert (detail.study.order.indication, detail.study.order.ward) == ("Cough", "ICU")


def test_an_order_that_missed_its_film_is_found_by_the_sweep(session: Session) -> None:
    """As where both came in at one moment, and neither saw the other."""
    film(session)
    row = OrderRow(
        accession_number="A1", is_urgent=True, received_at=NOW, changed_at=NOW, patient_id="P1"
    )
    session.add(row)
    session.flush()
    with written(session, NOW) as unit:
        assert raise_by_orders(unit, NOW - timedelta(hours=1)) == 1
    assert the_study(session).stat
    with written(session, NOW) as unit:
        assert raise_by_orders(unit, NOW - timedelta(hours=1)) == 0


def test_orders_without_a_study_are_forgotten_after_a_time(session: Session) -> None:
    order(session)
    order(session, accession_number="A2")
    film(session)
    assert forget_messages(session, NOW + timedelta(days=1)) == 0
    assert session.scalars(select(OrderRow.accession_number)).all() == ["A1"]
