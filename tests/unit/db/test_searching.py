import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from db.session import Database
from db.tables.searching import SEARCHED, folded, search_text
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order
from readfirst.formatting import readable_name
from tests.support.studies import AS_STORED, a_header, an_image


def search(database: Database, text: str) -> list[str]:
    with database.read() as session:
        return search_within(session, text)


def search_within(session: Session, text: str) -> list[str]:
    """Search what a transaction has written so far."""
    rows = reading_order(session, limit=9, which=WorklistFilter(text=text), display=AS_STORED)
    return [row.study_instance_uid for row in rows]


def test_a_study_is_found_by_what_a_later_image_says_first(database: Database) -> None:
    with database.write() as session:
        an_image(session, study="1.1")
    assert search(database, "ÑANDÚ") == []
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(patient_name="Ñandú^Eva"))
    assert search(database, "ÑANDÚ eva") == ["1.1"]


def test_names_as_long_as_films_may_say_are_kept_and_found(database: Database) -> None:
    """An index of PostgreSQL takes no row above 2,700 bytes."""
    long = "".join(chr(0x10400 + number % 40) for number in range(512))
    header = a_header(patient_name=long, patient_id=long, accession_number=long)
    with database.write() as session:
        an_image(session, study="1.1", header=header)
    assert search(database, long[:100]) == ["1.1"]


def test_what_is_missing_is_nothing_to_find() -> None:
    assert search_text({}) == "\n\n"
    assert search_text(dict.fromkeys(SEARCHED, "Ä^B")) == "ab aeb\nab aeb\nab aeb"


#: A name as a film says it, and what people type for it.
TYPED = [
    ("Vandermeer^Jolanda", "Vandermeer, Jolanda"),
    ("Vandermeer^Jolanda", "vandermeer,jolanda"),
    ("Vandermeer^Jolanda", "VANDERMEER^JOLANDA"),
    ("Peñalosa^Ágata", "penalosa agata"),
    ("Penalosa^Agata", "Peñalosa"),
    (unicodedata.normalize("NFD", "Núñez^Íñigo"), "Núñez"),
    ("Núñez^Íñigo", unicodedata.normalize("NFD", "Núñez")),
    ("Nguyễn^Thị Ánh", "nguyen thi anh"),
    ("Groß^Jörg", "GROSS"),
    ("GROSS^JORG", "Groß Jörg"),
    ("Müller^Jörg", "Mueller Joerg"),
    ("Müller^Jörg", "muller"),
    ("MUELLER^JOERG", "Müller, Jörg"),
    ("Sørensen^Åse", "sorensen ase"),
    ("Soerensen^Aase", "Sørensen Åse"),
    ("Æbelø^Ørsted", "aebelo orsted"),
    ("Œuvrard^Cœlia", "oeuvrard coelia"),
    ("Đorđević^Łukasz", "dordevic lukasz"),
    ("Þórsdóttir^Guðrún", "thorsdottir gudrun"),
    ("Işık^İlhan", "isik ilhan"),
    ("ISIK^ILHAN", "ışık İlhan"),
    ("O'Brien^Seán", "obrien sean"),
    ("OBrien^Sean", "O’Brien"),
    ("Smith-Jones^Ann", "smith jones"),
    ("Smith Jones^Ann", "Smith-Jones"),
    ("St. John^Eve", "StJohn"),
    ("van der Berg^Jan", "Vanderberg"),
    ("Yamada^Tarou=山田^太郎", "Yamada, Tarou (山田 太郎)"),
    ("Yamada^Tarou=山田^太郎", "山田太郎"),
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ヤマダ　タロウ"),
    ("=山田^太郎=ﾔﾏﾀﾞ^ﾀﾛｳ", "やまだ たろう"),
    ("ＹＡＭＡＤＡ^ＨＡＮＡ", "yamada hana"),
    ("Yamada^Hana", "ＹＡＭＡＤＡ　ＨＡＮＡ"),
    ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동"),
    (unicodedata.normalize("NFD", "홍^길동"), "길동"),
    ("Алёхин^Фёдор", "алехин федор"),
    ("Αλεξίου^Νίκος", "ΑΛΕΞΙΟΥ ΝΙΚΟΣ"),
    ("أحمد^علی", "احمد علي"),
    ("हिन्दी^की", "हिन्दी"),
]


@pytest.mark.parametrize(("name", "typed"), TYPED)
def test_a_name_is_found_as_people_type_it(session: Session, name: str, typed: str) -> None:
    an_image(session, study="1.1", header=a_header(patient_name=name))
    an_image(session, study="1.2", header=a_header(patient_name="Ruiz^Eva"))
    assert search_within(session, typed) == ["1.1"]


@pytest.mark.parametrize("name", [name for name, _ in TYPED])
def test_a_name_is_found_as_the_page_writes_it(session: Session, name: str) -> None:
    an_image(session, study="1.1", header=a_header(patient_name=name))
    for form in ("NFC", "NFD", "NFKC"):
        written = unicodedata.normalize(form, readable_name(name))
        assert search_within(session, written) == ["1.1"], form


@pytest.mark.parametrize("typed", ["ACC-2026/7", "acc20267", "2026 7", "ＡＣＣ－２０２６", "٢٠٢٦"])
def test_a_number_is_found_with_and_without_its_signs(database: Database, typed: str) -> None:
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(accession_number="ACC-2026/7"))
        an_image(session, study="1.2", header=a_header(accession_number="ACC-2025/7"))
    assert search(database, typed) == ["1.1"]


def test_no_word_is_found_across_two_values(database: Database) -> None:
    header = a_header(patient_name="Ruiz^Ana", patient_id="77", accession_number="88")
    with database.write() as session:
        an_image(session, study="1.1", header=header)
    assert search(database, "8877") == search(database, "77ruiz") == []
    assert search(database, "88 77 ruiz") == ["1.1"]


@pytest.mark.parametrize(
    ("typed", "expected"), [("?", ["1.1"]), ("*", []), ("' ?", []), (" ", None)]
)
def test_signs_alone_are_looked_for_as_they_are(
    database: Database, typed: str, expected: list[str] | None
) -> None:
    with database.write() as session:
        an_image(session, study="1.1", header=a_header(patient_name="M?ller^Ana"))
        an_image(session, study="1.2", header=a_header(patient_name="O'Brien^Ana"))
    assert search(database, typed) == (["1.1", "1.2"] if expected is None else expected)


@given(st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert folded(unicodedata.normalize("NFD", text)) == once
    assert not any(character.isspace() or character in "%_^," for character in once)
