"""The rules for duplicates: what is the same, what only looks it, and that every score can be explained."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings, strategies as st

from bench.matching import measure
from fairlead.sales.matching.blocking import MAX_BLOCK, MAX_OTHERS, pairs_of
from fairlead.sales.matching.model import Band, Record, Relation, Thresholds
from fairlead.sales.matching.names import company_name
from fairlead.sales.matching.person_names import person_name
from fairlead.sales.matching.prepared import prepare
from fairlead.sales.matching.scoring import compare
from fairlead.testing.companies import CompanyMaker


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "Mueller und Soehne"),
        ("ACME S.A.", "acme, s. a."),
        ("Riva Mobili S.r.l.", "RIVA MOBILI SRL"),
        ("Philips B.V.", "Philips"),
        ("Nokia Oy", "NOKIA Oyj"),
        ("Ericsson AB", "Ericsson Aktiebolag"),
        ("Toyota K.K.", "Toyota Kabushiki Kaisha"),
        ("株式会社アクメ", "アクメ"),
        ("ООО Ромашка", "Ромашка"),  # noqa: RUF001
        ("Żabka Sp. z o.o.", "Zabka sp zoo"),
        ("Novo A/S", "Novo"),
        ("Dell'Oro S.p.A.", "DellOro"),
        ("Sund Tech Pty. Ltd.", "Sund Technologies Limited"),
        ("L'Étoile et Fils SARL", "LEtoile & Fils"),
        ("Acme Co., Ltd.", "The Acme Company"),
    ],
)
def test_forms_accents_and_joiners_do_not_make_another_name(one: str, other: str) -> None:
    """Legal forms of many countries, case, accents, points and words for "and" are no part of a name."""
    assert company_name(one).key == company_name(other).key != ""


@pytest.mark.parametrize("text", ["", " ", "😀😀", "...", "\u202e\u200f", "-" * 500])
def test_a_name_that_says_nothing_is_no_name(text: str) -> None:
    """No letters, no name: no key, and nothing that speaks for two such records being one."""
    assert company_name(text).core == ()
    record = Record("cus_1", company=text)
    assert compare(record, Record("cus_2", company=text)).band is Band.DIFFERENT
    assert pairs_of([prepare(record), prepare(Record("cus_2", company=text))]).pairs == []


def test_a_name_that_is_only_a_form_stays_a_name() -> None:
    """A company may be called AG or Co; it is not lost."""
    assert company_name("AG").core == ("ag",)
    assert company_name("Co. GmbH").core == ("co",)


def test_people_are_the_same_in_either_order_and_without_titles() -> None:
    """`Dr. Berg, Ann` is Ann von Berg; nothing is dropped but titles and particles."""
    assert person_name("Dr. Berg, Ann").key == person_name("Ann von Berg").key == "ann berg"


GMBH = Record("cus_1", company="Nordwind Optik GmbH", country="DE", city="Hamburg", emails=("info@nordwind.de",))


def test_the_same_company_spelled_twice_is_sure() -> None:
    """Another spelling of name and form, the same domain, country and town."""
    other = Record("cus_2", company="NORDWIND OPTIK", country="DE", city="hamburg", emails=("a@nordwind.de",))
    match = compare(GMBH, other)
    assert (match.relation, match.band) == (Relation.SAME_ACCOUNT, Band.SURE)


def test_sister_companies_are_not_one() -> None:
    """X Deutschland and X UK are two companies, whatever name and domain they share."""
    one = Record("cus_1", company="Nordwind Deutschland GmbH", country="DE", emails=("info@nordwind.com",))
    other = Record("cus_2", company="Nordwind UK Ltd", country="GB", emails=("info@nordwind.com",))
    assert compare(one, other).band is Band.DIFFERENT


def test_people_of_one_company_are_colleagues() -> None:
    """Same firm, same domain, same number, another name: not duplicates, and said to be of one company."""
    ada = Record("cus_1", "Ada Keller", "Riva Mobili", "IT", emails=("ada@riva.it",), phones=("+390612345",))
    bruno = Record("cus_2", "Bruno Rossi", "Riva Mobili", "IT", emails=("bruno@riva.it",), phones=("+390612345",))
    match = compare(ada, bruno)
    assert (match.relation, match.band) == (Relation.SAME_COMPANY, Band.DIFFERENT)
    firm = Record("cus_3", "", "Riva Mobili S.r.l.", "IT", emails=("info@riva.it",))
    assert compare(ada, firm).relation is Relation.SAME_COMPANY


def test_a_number_behind_the_name_tells_two_people_apart() -> None:
    """ann.berg@ and ann.berg2@ of one firm are two Ann Bergs: never sure."""
    one = Record("cus_1", "Ann Berg", "Riva", emails=("ann.berg@riva.it",))
    other = Record("cus_2", "Ann Berg", "Riva", emails=("ann.berg2@riva.it",))
    assert compare(one, other).band is not Band.SURE


@pytest.mark.parametrize("name", ["Nоrdwind Optik GmbH", "Νοrdwind Optik GmbH"])  # noqa: RUF001  that is the point
def test_a_look_alike_is_flagged_and_never_sure(name: str) -> None:
    """Cyrillic or Greek letters in a Latin word: found, since it looks the same, but a person has to look."""
    other = Record("cus_2", company=name, country="DE", city="Hamburg", emails=("info@nordwind.de",))
    match = compare(GMBH, other)
    assert (match.band, match.flags) == (Band.UNSURE, ("mixed_script",))
    assert "mixed_script" in {reason.code for reason in match.reasons}


def test_numbers_in_names_tell_companies_apart() -> None:
    """Studio 54 is not Studio 55."""
    one, other = Record("cus_1", company="Studio 54 GmbH"), Record("cus_2", company="Studio 55 GmbH")
    assert compare(one, other).band is Band.DIFFERENT


def test_free_mailboxes_are_nobodys_domain() -> None:
    """Two firms that write from the same free mailbox have nothing in common."""
    records = [Record(f"cus_{n}", company=name, emails=(f"{name.lower()}@gmail.com",)) for n, name in
               enumerate(("Helio", "Quarz"))]  # fmt: skip
    assert pairs_of([prepare(one) for one in records]).pairs == []
    assert "domain" not in {reason.code for reason in compare(*records).reasons}


TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "Acme GmbH", "Аcme GmbH", "Acme UK Ltd", "Ann Berg", "Berg, Ann", "A. Berg", 'שלום בע"מ', "😀", "x" * 500]  # noqa: RUF001
    ),
)
RECORDS = st.builds(
    Record,
    id=st.sampled_from(["cus_1", "cus_2"]),
    name=TEXT,
    company=TEXT,
    country=st.sampled_from(["", "DE", "GB"]),
    city=st.sampled_from(["", "Ulm", "ulm ", "Kiel"]),
    postal_code=st.sampled_from(["", "20095"]),
    emails=st.lists(st.sampled_from(["a@acme.de", "ann.berg@acme.de", "a.berg@gmail.com", "@", "x"])).map(tuple),
    phones=st.lists(st.sampled_from(["+4940123456", "+4940123456;ext=2", "1"])).map(tuple),
)


@settings(max_examples=150)
@given(RECORDS, RECORDS)
def test_every_score_is_symmetric_bounded_and_the_sum_of_its_reasons(left: Record, right: Record) -> None:
    """Whichever comes first, whatever they hold: the same answer, from 0 to 1, accounted for to the last digit."""
    match, mirrored = compare(left, right), compare(right, left)
    assert match == mirrored
    assert 0.0 <= match.score <= 1.0
    assert round(sum(reason.weight for reason in match.reasons), 4) == match.score
    assert all(reason.words for reason in match.reasons)
    assert match.band is Thresholds().band(match.score)
    assert "mixed_script" not in match.flags or match.band is not Band.SURE


def test_ten_thousand_of_one_name_are_not_compared_with_each_other() -> None:
    """Blocks are bounded, what was passed over is reported, and other keys still find what there is."""
    crowd = [prepare(Record(f"cus_{n:05}", company="Acme GmbH")) for n in range(10_000)]
    twins = [prepare(Record(f"cus_t{n}", company="Acme GmbH", phones=("+494012345678",))) for n in range(2)]
    blocks = pairs_of([*crowd, *twins])
    assert [(pair.left, pair.right) for pair in blocks.pairs] == [(10_000, 10_001)]
    assert blocks.passed_over > 0
    assert max(blocks.too_large.values()) == 10_002


def test_one_record_is_compared_with_a_bounded_number_of_others() -> None:
    """Many keys, each just within the bound, do not add up to a flood."""
    words = [f"w{letter}{other}x" for letter, other in permutations("abcdefgh", 2)]
    hub = prepare(Record("cus_hub", company="Acme", phones=tuple(f"+49401234{n:04}" for n in range(20))))
    others = [
        prepare(Record(f"cus_{n}_{m}", company=words[n % len(words)], phones=(f"+49401234{n:04}",)))
        for n in range(20) for m in range(MAX_BLOCK // 2)
    ]  # fmt: skip
    blocks = pairs_of([hub, *others])
    assert sum(pair.left == 0 for pair in blocks.pairs) == MAX_OTHERS
    assert blocks.cut_short >= 1


def test_only_pairs_with_somebody_fresh_are_compared() -> None:
    """What was compared before is not compared again."""
    records = [prepare(Record(f"cus_{n}", company="Acme GmbH")) for n in range(5)]
    assert {pair.right for pair in pairs_of(records, {4}).pairs} == {4}
    assert len(pairs_of(records).pairs) == 10


def test_the_generator_repeats_itself_and_says_the_truth() -> None:
    """The same seed makes the same records; duplicates are of one entity, everything else is not."""
    made = CompanyMaker(3).make(400)
    assert made == CompanyMaker(3).make(400)
    assert len({one.entity for one in made}) < 400
    assert {"sister", "impostor", "namesake", "person_again"} <= {one.kind for one in CompanyMaker(3).make(4_000)}
    clean = CompanyMaker(3, duplicates=0.0).make(400)
    assert len({one.entity for one in clean}) == 400


def test_quality_on_records_that_the_weights_were_not_chosen_on() -> None:
    """Sure pairs are right, most duplicates are found, and few pairs are compared."""
    found = measure(3_000, 99)
    assert found["sure_precision"] >= 0.98
    assert found["asked_recall"] >= 0.82
    assert found["pairs_per_record"] <= 10
