"""Columns to fields: guessed with a reason, overruled by a person, outcomes kept out of the facts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fairlead.errors import InputError
from fairlead.sales.intake import (
    Checker,
    ColumnMapping,
    LeadField,
    Row,
    Unreadable,
    guess_mapping,
    inspect,
    parse_overrides,
    read_rows,
)

_DATA = Path(os.environ.get("FAIRLEAD_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))


def _data(name: str) -> Path:
    path = _DATA / name
    if not path.exists():
        pytest.skip(f"{path} is absent; set FAIRLEAD_DATA to the folder that holds {name}")
    return path


def _mapping(tmp_path: Path, text: str, **overrides: str) -> ColumnMapping:
    path = tmp_path / "leads.csv"
    path.write_text(text, encoding="utf-8")
    return guess_mapping(inspect(path), overrides)


def _fields(mapping: ColumnMapping) -> dict[str, str]:
    return {str(guess.field): guess.column for guess in mapping.guesses}


@pytest.mark.parametrize(
    "header",
    [
        "Full Name;E-mail address;Phone number;Company;Job title;Country;Deal size (EUR);Created at",
        "Ansprechpartner;E-Mail Adresse;Telefonnummer;Firma;Beruf;Land;Auftragswert in EUR;Anfragedatum",
        "Nom complet;Courriel;Numéro de téléphone;Société;Poste;Pays;Montant (€);Date de création",
        "Nombre completo;Correo electrónico;Teléfono;Empresa;Cargo;País;Importe (EUR);Fecha de creación",
        "Nominativo;Indirizzo e-mail;Telefono;Azienda;Ruolo;Paese;Importo (EUR);Data di creazione",
        "Nome completo;Endereço de email;Telefone;Empresa;Função;País;Orçamento (EUR);Criado em",
        "Volledige naam;E-mailadres;Telefoonnummer;Bedrijf;Functie;Land;Bedrag (EUR);Aangemaakt op",
    ],
)
def test_headers_of_seven_languages(tmp_path: Path, header: str) -> None:
    """The same table under headers of seven languages maps to the same fields."""
    mapping = _mapping(tmp_path, f"{header}\nAnn Bee;ann@firm.de;+49 30 1234567;Firm;CTO;Germany;1.200,50;2024-05-01\n")
    assert list(_fields(mapping)) == [
        "name", "email", "phone", "company", "job_title", "country", "value", "created_at",
    ]  # fmt: skip
    assert mapping.header_currency == "EUR"
    assert mapping.missing == ()


def test_content_alone_shows_mail_phone_and_country(tmp_path: Path) -> None:
    """Columns with meaningless names are recognised by what they hold, with less confidence."""
    mapping = _mapping(
        tmp_path,
        "c1;c2;c3;c4\na@x.de;+49 30 1234567;Germany;4711\nb@y.fr;+33 1 42 68 53 00;Frankreich;4712\n",
    )
    assert _fields(mapping) == {"email": "c1", "phone": "c2", "country": "c3"}
    assert all(guess.reason == "content" and guess.confidence <= 0.8 for guess in mapping.guesses)


def test_header_that_its_content_contradicts(tmp_path: Path) -> None:
    """A vague header word loses against its content; a clear one stays, so that its cells become problems."""
    body = "".join(f"{n};broken\n" for n in range(20))
    mapping = _mapping(tmp_path, "title;email\n" + body)
    assert _fields(mapping) == {"email": "email"}
    assert mapping.guesses[0].confidence < 0.6


def test_one_column_per_field_and_why(tmp_path: Path) -> None:
    """Of two candidates the surer one wins; the description names field, column, reason and confidence."""
    mapping = _mapping(tmp_path, "contact mail;E-Mail Adresse;shoe size\na@b.de;c@d.de;43\n")
    lines = mapping.describe()
    assert lines[0] == "email ← 'E-Mail Adresse' (high: its name and its cells say so)"
    assert "'contact mail', 'shoe size'" in lines[1]
    assert lines[2].startswith("no column for: name, phone")
    first = mapping.as_dict()["mapped"][0]
    assert (first["column"], first["level"]) == ("E-Mail Adresse", "high")
    assert first["why"] == "its name and its cells say so"
    assert mapping.numeric == {"shoe size"}


def test_overrides_win_and_can_close_a_field(tmp_path: Path) -> None:
    """`--map` moves a column, whatever its name says, and an empty one leaves a field without column."""
    mapping = _mapping(tmp_path, "Email;Other\na@b.de;c@d.de\n", email="other", note="Email")
    assert _fields(mapping) == {"email": "Other", "note": "Email"}
    assert _fields(_mapping(tmp_path, "Email;x\na@b.de;1\n", email="")) == {}


@pytest.mark.parametrize(
    ("overrides", "code", "hint"),
    [
        ({"emial": "Email"}, "unknown_field", "Did you mean 'email'"),
        ({"email": "Emal"}, "unknown_column", "Did you mean 'Email'"),
        ({"email": "Email", "note": "Email"}, "mapped_twice", "mapped twice"),
    ],
)
def test_bad_overrides_are_refused(tmp_path: Path, overrides: dict[str, str], code: str, hint: str) -> None:
    """Unknown fields and columns come with the nearest name; a column serves one field."""
    with pytest.raises(InputError, match=hint) as caught:
        _mapping(tmp_path, "Email;Other\na@b.de;c@d.de\n", **overrides)
    assert caught.value.reason == code


def test_override_syntax() -> None:
    """FIELD=COLUMN, where the column may hold `=`; anything else is refused."""
    assert parse_overrides(["name=a=b", " email = E "]) == {"name": "a=b", "email": "E"}
    for pairs in (["name"], ["=x"], ["name=a", "name=b"]):
        with pytest.raises(InputError):
            parse_overrides(pairs)


@pytest.mark.parametrize("name", ["y", "converted", "won", "Churn", "is_converted", "outcome"])
def test_outcomes_are_set_apart(tmp_path: Path, name: str) -> None:
    """An outcome column is neither a fact nor an attribute of the draft."""
    mapping = _mapping(tmp_path, f"email;{name};duration\na@b.de;yes;12\nc@d.de;no;14\n")
    assert mapping.outcome == name
    assert mapping.late == ("duration",)
    draft = Checker(mapping).check(Row(2, ("a@b.de", "yes", "12")))
    assert draft.outcome == "yes"
    assert name not in draft.attributes
    assert LeadField.OUTCOME not in draft.fields


def test_measurements_named_like_an_outcome_are_not_one(tmp_path: Path) -> None:
    """A column `y` with many values is a coordinate, not an outcome."""
    mapping = _mapping(tmp_path, "x;y\n" + "".join(f"{n};{n * 7}\n" for n in range(30)))
    assert mapping.outcome is None
    assert mapping.numeric == {"x", "y"}


def test_bank_marketing() -> None:
    """Real input without names: job, age and outcome are found, nothing is invented, no row is a double."""
    path = _data("bank_marketing/bank_first80.csv")
    shape = inspect(path)
    mapping = guess_mapping(shape)
    assert _fields(mapping) == {"job_title": "job", "age": "age", "outcome": "y"}
    assert mapping.late == ("duration",)
    assert mapping.numeric >= {"balance", "duration", "campaign"}
    checker = Checker(mapping)
    drafts = [checker.check(item) for item in read_rows(path, shape) if not isinstance(item, Unreadable)]
    assert len(drafts) == 36_168
    assert not any(draft.needs_information for draft in drafts)
    assert len({draft.fingerprint for draft in drafts}) == len(drafts)


def test_telco_churn() -> None:
    """Real input: `PhoneService` is no phone, `Churn` is the outcome, blank numbers are left out."""
    path = _data("telco_churn/Telco-Customer-Churn.csv")
    shape = inspect(path)
    mapping = guess_mapping(shape)
    assert _fields(mapping) == {"external_id": "customerID", "outcome": "Churn"}
    drafts = [Checker(mapping).check(item) for item in read_rows(path, shape) if isinstance(item, Row)]
    assert len(drafts) == 7_043
    assert sum("TotalCharges" not in draft.attributes for draft in drafts) == 11
