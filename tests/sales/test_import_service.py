"""A file of leads goes in, and every row of it is accounted for."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fairlead import sales
from fairlead.audit.tables import entry
from fairlead.checkpoints import rulings_of_case
from fairlead.customers.tables import customer
from fairlead.errors import InputError
from fairlead.kit.actors import SYSTEM
from fairlead.playbooks import read_case
from fairlead.sales.intake import file_digest
from fairlead.sales.tables import lead
from fairlead.testing.seed import PLAYBOOK, run_ready

if TYPE_CHECKING:
    from tests.sales.world import World

DATA = Path(os.environ.get("FAIRLEAD_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))
HEADER = "Name,Email,Phone,Company,Country,Value\n"
ADA = "Ada Keller,ada@acme.example,+49 30 901820,Acme,Germany,1200\n"
BEN = "Ben Rossi,ben@riva.example,,Riva,Italy,800\n"
CARA = "Cara Novak,cara@baltic.example,,Baltic,Sweden,300\n"


def facts(world: World, one: Any) -> dict[str, Any]:
    """What the playbook read of a lead, and what its stages found."""
    with world.database.reading() as reader:
        found: dict[str, Any] = read_case(reader, one.case_id).facts
    return found


def first_ruling(world: World, one: Any) -> Any:
    """The ruling at the lead's first checkpoint."""
    with world.database.reading() as reader:
        return rulings_of_case(reader, one.case_id)[0]


def test_every_row_is_in_exactly_one_number(world: World) -> None:
    """Good, doubled, unreadable, poor and forbidden rows: the numbers add up to the rows of the file."""
    world.grant("small")
    rows = [ADA, ADA, "too,few\n", BEN, "Dan,dan@x.example,,D,Iran,10\n", "Eve,,,E,Spain,50\n"]

    done = world.run(HEADER + "".join(rows))

    assert done.rows == 6
    assert done.fresh == 4
    assert done.counts == {
        "auto": 2, "assist": 0, "human": 0, "blocked": 1, "needs_information": 1, "duplicate": 1,
        "unreadable": 1, "failed": 0,
    }  # fmt: skip
    assert done.reasons["embargo"] == 1
    assert done.reasons["fact_missing"] == 1


def test_a_double_in_the_file_names_its_first_row(world: World) -> None:
    """Spelling in other letter case and with other blanks is the same row; the first one is the lead."""
    done = world.run(HEADER + ADA + BEN + ADA.upper() + "  " + BEN, batch=2)

    assert [one.row_no for one in world.leads(done.id)] == [2, 3]
    rejected = world.rejects(done.id)
    assert [row[:3] for row in rejected] == [(4, "duplicate", "same_row"), (5, "duplicate", "same_row")]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_how_rows_are_batched_changes_nothing(world: World, batch: int) -> None:
    """The counts are the same whether a double stands in the same transaction or in a later one."""
    done = world.run(HEADER + ADA + BEN + ADA + CARA + BEN, batch=batch)

    assert (done.rows, done.fresh, done.counts["duplicate"]) == (5, 3, 2)


def test_the_same_row_in_another_file_adds_nothing(world: World) -> None:
    """Another file name, other columns' order: the row is known, and its case is not opened twice."""
    first = world.run(HEADER + ADA + BEN)
    text = "Value,Country,Company,Phone,Email,Name\n"
    text += "1200,Germany,Acme,+49 30 901820,ada@acme.example,Ada Keller\n"

    second = world.run(text + "300,Sweden,Baltic,,cara@baltic.example,Cara Novak\n", name="other.csv")

    assert (second.rows, second.fresh, second.counts["duplicate"]) == (2, 1, 1)
    known = world.leads(first.id)[0].id
    assert world.rejects(second.id) == [(2, "duplicate", "same_row", f"the same row as {known}")]


def test_running_a_file_again_adds_nothing_and_says_so(world: World) -> None:
    """Every row counts as a duplicate, no lead, customer or case comes up, and the first run is named."""
    path = world.write(HEADER + ADA + BEN + CARA)
    world.run(path)
    before = (world.count(lead), world.count(customer))

    again = world.run(path)

    assert again.fresh == 0
    assert again.counts["duplicate"] == again.rows == 3
    assert (world.count(lead), world.count(customer)) == before
    with world.database.reading() as reader:
        digest = file_digest(path)
        found = sales.finished_import_of(reader, digest, PLAYBOOK)
        assert found is not None
        assert found.id != again.id
        assert sales.finished_import_of(reader, digest, "other-playbook") is None


def test_an_interrupted_import_goes_on(world: World) -> None:
    """What a killed run had taken in stays and is worked on; the next run of the file adds the rest once."""
    path = world.write(HEADER + ADA + BEN + CARA + "Dan,dan@x.example,,D,Spain,10\n")
    broken, rows, fresh = world.take_in(path, batch=1, stop_after=2)
    assert (rows, fresh) == (2, 2)

    done = world.run(path)

    assert (done.rows, done.fresh, done.counts["duplicate"]) == (4, 2, 2)
    assert world.count(lead) == 4
    assert sum(world.result(broken, 2, 2).counts.values()) == 2
    with world.database.reading() as reader:
        assert sales.read_import(reader, broken).state == "reading"
        assert sales.read_import(reader, done.id).state == "finished"


def test_two_imports_of_one_file_at_once_add_it_once(world: World, database_url: str, tmp_path: Path) -> None:
    """Whatever the order of their transactions, each row becomes one lead, and both runs account for all."""
    path = world.write(HEADER + "".join(f"N{n},n{n}@x.example,,C,Spain,{n}\n" for n in range(1, 61)))
    both = threading.Barrier(2)
    done: list[tuple[str, int, int]] = []

    def one() -> None:
        both.wait(20)
        done.append(world.take_in(path, batch=3))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    run_ready(world.engine)

    assert [rows for _, rows, _ in done] == [60, 60]
    assert sum(fresh for _, _, fresh in done) == world.count(lead) == 60
    assert [world.result(*one).counts["duplicate"] for one in done] == [60 - fresh for _, _, fresh in done]


def test_leads_of_one_person_have_one_customer(world: World) -> None:
    """By e-mail, whatever else the rows say, in one file and in the next; a stranger is another customer."""
    other = "Ada K.,ADA@acme.example,,Acme Ltd,Germany,9\n"
    first = world.run(HEADER + ADA + BEN)
    second = world.run(HEADER + other, name="later.csv")

    ada, ben = world.leads(first.id)
    assert world.leads(second.id)[0].customer_id == ada.customer_id != ben.customer_id
    assert world.count(customer) == 2


def test_ids_of_different_systems_are_different_people(world: World) -> None:
    """Number 17 of one list is not number 17 of another; next month's list of the same system is the same."""
    header = "Customer ID,Company\n"
    first = world.run(header + "17,Acme\n", name="fair-2026-05.csv")
    second = world.run(header + "17,Riva\n", name="partner.csv")
    third = world.run(header + "17,Acme Ltd\n", name="fair-2026-06.csv")

    who = [world.leads(one.id)[0].customer_id for one in (first, second, third)]
    assert who[0] == who[2] != who[1]


def test_an_endless_id_is_kept_short(world: World) -> None:
    """An id longer than the customers keep stops neither the row nor the import."""
    done = world.run("Customer ID,Company\n" + "9" * 900 + ",Acme\n18,Riva\n")

    assert done.fresh == 2


def test_poor_data_goes_to_a_person_with_the_reason(world: World) -> None:
    """Even where the machine may act alone: row, field, code and a sentence say what could not be used."""
    world.grant("small")
    done = world.run(HEADER + ADA + "Ben Rossi,ben@riva.example,,Riva,Nowhereland,-500\n")

    assert (done.counts["auto"], done.counts["needs_information"]) == (1, 1)
    poor = world.leads(done.id)[1]
    assert [(p["row"], p["field"], p["code"]) for p in poor.problems] == [
        (3, "country", "country_unknown"), (3, "value", "value_negative"),
    ]  # fmt: skip
    assert facts(world, poor)["problems"] == [
        "row 3, country: 'Nowhereland' is no country that we know.",
        "row 3, value: A deal of '-500' cannot be.",
    ]
    assert poor.value_minor is None
    assert "doubtful-data" in done.reasons
    assert first_ruling(world, poor).path == "assist"


def test_a_lead_that_nobody_can_reach_needs_information(world: World) -> None:
    """Without e-mail and telephone the required fact is missing, and the ruling says which."""
    done = world.run(HEADER + "Eve,,,E,Spain,50\n")

    assert done.counts["needs_information"] == 1
    ruling = first_ruling(world, world.leads(done.id)[0])
    assert ruling.record["needs_information"] == [{"fact": "reachable_at", "why": "is not known"}]
    assert ruling.path == "human"


def test_an_assumption_is_shown_but_lacks_nothing(world: World) -> None:
    """A cell that was used under an assumption sends the lead to a person, with the proposal."""
    world.grant("small")
    done = world.run(HEADER + "Ben,ben@riva.example,,Riva,Italy,1.500\n")

    assert done.counts["assist"] == 1
    assert [p["code"] for p in world.leads(done.id)[0].problems] == ["value_ambiguous"]


def test_a_foreign_currency_is_a_missing_value(world: World) -> None:
    """Two million dollars are no small deal because the rate is unknown: a person looks."""
    world.grant("small")
    done = world.run(HEADER.replace("Value", "Value,Currency") + ADA.strip().replace("1200", "2000000") + ",USD\n")

    one = world.leads(done.id)[0]
    assert done.counts["needs_information"] == 1
    assert (one.value_minor, one.currency) == (200_000_000, "USD")
    assert [(p["row"], p["field"], p["code"]) for p in one.problems] == [(2, "value", "no_rate")]
    read = facts(world, one)
    assert "value" not in read
    assert read["foreign_value"] == "2000000.00 USD"
    assert read["problems"] == ["row 2, value: 2000000.00 USD cannot be turned into EUR: there is no rate."]
    assert first_ruling(world, one).value_minor is None


def test_a_workspace_in_yen_has_no_cents(world: World) -> None:
    """Whole units are those of the currency: 12,000 yen are 12,000, not 120."""
    world.deploy(settings=lambda text: text.replace('"EUR"', '"JPY"'))
    done = world.run(HEADER + ADA.replace("1200", "12000"))

    one = world.leads(done.id)[0]
    assert (one.value_minor, one.currency) == (12_000, "JPY")
    assert facts(world, one)["value"] == 12_000.0


def test_the_outcome_is_stored_and_never_a_fact(world: World) -> None:
    """What became of a lead stands beside it; no playbook, rule or reviewer reads it."""
    done = world.run("Name,Email,Converted\nAda,ada@acme.example,yes\nBen,ben@riva.example,no\n")

    leads = world.leads(done.id)
    assert [one.outcome for one in leads] == ["yes", "no"]
    for one in leads:
        read = facts(world, one)
        assert not {"outcome", "converted", "c_outcome"} & set(read)
        assert "yes" not in read.values()
        assert "converted" not in str(one.fields).lower() + str(one.attributes).lower()


def test_columns_become_facts_under_plain_names(world: World) -> None:
    """Small letters, digits and _; two columns of one name keep both values; digits do not come first."""
    text = "Email,Cons.Price Idx,cons price idx,2nd contact,Lärm,Σ\nada@acme.example,93.2,94,x,7,y\n"
    done = world.run(text)

    read = facts(world, world.leads(done.id)[0])
    assert read["cons_price_idx"] == 93.2
    assert read["cons_price_idx_2"] == 94
    assert (read["c_2nd_contact"], read["larm"], read["column"]) == ("x", 7, "y")


def test_a_column_cannot_pass_for_a_fact_of_ours(world: World) -> None:
    """A column called like a fact that policies trust is kept under another name."""
    world.grant("small")
    done = world.run("Name,Company,reachable_at,problems,foreign_value\nAda,Acme,yes,none,0\n")

    read = facts(world, world.leads(done.id)[0])
    assert "reachable_at" not in read
    assert "problems" not in read
    assert (read["c_reachable_at"], read["c_problems"]) == ("yes", "none")
    assert done.counts["needs_information"] == 1


def test_a_row_too_large_for_a_case_is_reported(world: World) -> None:
    """It costs the row, not the import: what stands beside it comes in."""
    wide = [f"c{n}" for n in range(10)]
    text = "Email," + ",".join(wide) + "\n"
    text += "ada@acme.example," + ",".join(["x" * 30_000] * 10) + "\n" + "ben@riva.example" + ",y" * 10 + "\n"

    done = world.run(text)

    assert (done.fresh, done.counts["unreadable"]) == (1, 1)
    number, kind, code, words = world.rejects(done.id)[0]
    assert (number, kind, code) == (2, "unreadable", "row_too_large")
    assert "300," in words


def test_a_row_that_no_step_can_score_is_an_exception(world: World) -> None:
    """A rule that fails on facts that are there sends its case to the queue, and the row counts as failed."""
    world.deploy(flow=lambda text: text.replace("employees >= 50,", "1000 / employees < 20,"))
    header = "Email,Employees,Country\n"
    done = world.run(header + "ada@acme.example,0,Germany\nben@riva.example,100,Italy\n")

    assert (done.counts["failed"], done.fresh) == (1, 2)
    with world.database.reading() as reader:
        problem = read_case(reader, world.leads(done.id)[0].case_id).problem
    assert problem["code"] == "score"
    assert "1000 / employees" in problem["words"]


@pytest.mark.parametrize(("playbook", "code"), [("lead-qualificaton", "no_playbook"), ("refund", "wrong_subject")])
def test_an_import_needs_a_playbook_about_leads(world: World, playbook: str, code: str) -> None:
    """A misspelt name is answered with the near one; a playbook about something else is refused."""
    world.files = {
        **world.files,
        "playbooks/refund.yaml": ("playbook: refund\nsubject: order\nstart: done\nstages: {done: {end: done}}\n"),
    }
    world.deploy()
    file = sales.open_lead_file(world.write(HEADER + ADA), [], "EUR")

    with file.reader, world.database.transaction() as uow, pytest.raises(InputError) as raised:
        sales.begin_import(uow, SYSTEM, world.bundle, file, playbook)

    assert raised.value.reason == code
    assert code != "no_playbook" or "lead-qualification" in raised.value.message


def test_pages_of_an_import_follow_the_file(world: World) -> None:
    """Leads and rejects come in the file's order, page by page, and imports newest first."""
    first = world.run(HEADER + ADA + BEN + "short\n" + CARA)
    second = world.run(HEADER + ADA, name="again.csv")

    with world.database.reading() as reader:
        page = sales.leads_page(reader, first.id, -1, 2)
        rest = sales.leads_page(reader, first.id, page[-1].row_no, 2)
        assert [one.row_no for one in [*page, *rest]] == [2, 3, 5]
        assert [one.row_no for one in sales.rejects(reader, first.id, 4, 10)] == []
        assert [one.id for one in sales.imports_page(reader, None, 10)] == [second.id, first.id]
        assert [one.id for one in sales.imports_page(reader, second.id, 10)] == [first.id]


def data_file(name: str) -> Path:
    """A real file, or a skip that says how to get it."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is absent; set FAIRLEAD_DATA to the folder that holds {name}")
    return path


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("bank_marketing/bank_first80.csv", {"yes", "no"}),
        ("telco_churn/Telco-Customer-Churn.csv", {"Yes", "No"}),
    ],
)
def test_real_files_come_in_whole(world: World, name: str, outcomes: set[str]) -> None:
    """400 real rows without names or addresses: all accounted for, outcomes kept apart, none doubled."""
    with data_file(name).open(encoding="utf-8") as file:
        text = "".join(line for _, line in zip(range(401), file, strict=False))

    done = world.run(text, name=Path(name).name, batch=100)
    again = world.run(text, name=Path(name).name, batch=100)

    assert (done.rows, done.counts["needs_information"], done.fresh) == (400, 400, 400)
    assert {one.outcome for one in world.leads(done.id)} == outcomes
    assert (again.rows, again.counts["duplicate"], again.fresh) == (400, 400, 0)


def test_every_transaction_of_an_import_is_audited(world: World) -> None:
    """Start, each batch and end leave an entry that accounts for the rows; the unit of work refuses less."""
    before = world.count(entry)
    import_id, rows, _ = world.take_in(world.write(HEADER + ADA + BEN + CARA), batch=2)
    with world.database.reading() as reader:
        verbs = [row.verb for row in reader.execute(entry.select().where(entry.c.subject == import_id))]

    assert rows == 3
    assert sorted(verbs) == [
        "lead_import.finished", "lead_import.rows_taken", "lead_import.rows_taken", "lead_import.started",
    ]  # fmt: skip
    assert world.count(entry) == before + 4 + 3
