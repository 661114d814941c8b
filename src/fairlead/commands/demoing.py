"""What fills the demo: months that were played before it opens, and the day's work while it is open; demo-data."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from fairlead.checkpoints import Grant, Level, grants_of, set_grant
from fairlead.commands.common import operator, say, says_errors, words
from fairlead.commands.running import take_in
from fairlead.commands.workspaces import deploy_here
from fairlead.connectors import connectors_for
from fairlead.errors import FairleadError, InputError, UnavailableError
from fairlead.kit import jsons
from fairlead.kit.clock import iso
from fairlead.kit.words import counted
from fairlead.playbooks import current_bundle
from fairlead.sales import ConfirmLinks, finished_import_of, forms_of, open_lead_file, read_answers, submit
from fairlead.settings import Settings
from fairlead.testing.clock import TravelClock
from fairlead.testing.company import HEADER, HISTORY_HEADER, Company, CompanyOptions, history_rows, write_rows
from fairlead.testing.past import STEP, Past, Stage
from fairlead.testing.seed import run_ready
from fairlead.testing.teams import plan_absence, seed_teams
from fairlead.worker import Runtime
from fairlead.worker.mailing import unsent_mailer_of

PLAYBOOK = "lead-qualification"
FIRST_LEADS = 120
"""So many wait when the first page is there; the others come in while it is looked at."""
SETTLE_IN_S = 4.0
"""How long the desk has the machine to itself before more comes in."""
DEMO_COMPANY = CompanyOptions(duplicates=0.04)
DEMO_GRANT = timedelta(days=30)
PRESENT, ARRIVALS = 10_000, 100_000
"""Numbers of the company's first lead that waits, and of the first that arrives."""
MAX_ROWS = 2_000_000
_GRANTS = (
    ("small", Level.AUTO, 0.45, 0.05),
    ("medium", Level.ASSIST, None, 0.05),
    ("large", Level.ASSIST, None, 0.25),
)
_POSTED: tuple[dict[str, str], ...] = (
    {"name": "Ines Varela", "email": "ines@lantern-foods.example", "company": "Lantern Foods", "country": "ES",
     "employees": "240", "note": "We look for a way to share leads between three offices. Could somebody call us?"},
    {"name": "Hugo Tamm", "email": "hugo.tamm@keel-optics.example", "phone": "+49 30 901 81 999", "country": "DE",
     "note": "A colleague recommended you. What would it cost for twelve people?"},
    {"name": "WIN NOW", "email": "prize@lottery.example", "note": "Visit http://a.example http://b.example now!!!"},
)  # fmt: skip


class Travel:
    """Where the past of a demo stands: when it began, how many steps of how many are played."""

    def __init__(self, settings: Settings, weeks: int) -> None:
        """Goes on with what an earlier start left unfinished."""
        database = "postgres" if settings.database_url.startswith("postgresql") else "sqlite"
        self._file = settings.data_dir / f"demo-{database}.json"
        self.is_begun = self._file.exists()
        known = jsons.loads(self._file.read_text(encoding="utf-8")) if self.is_begun else {}
        self.steps = int(known.get("steps", weeks))
        self.done = int(known.get("done", 0))
        start = known.get("start")
        # The last step is played two days before today, so that what came with it is overdue.
        morning = datetime.now(UTC).replace(hour=7, minute=40)
        fresh = morning - STEP * max(1, weeks) + timedelta(days=5)
        self.start = datetime.fromisoformat(start) if start else fresh

    def mark(self, done: int) -> None:
        """Remember how far it is; in one piece, since the process may be killed at any moment."""
        self.done = done
        draft = self._file.with_suffix(".new")
        draft.write_text(jsons.dumps({"start": iso(self.start), "steps": self.steps, "done": done}), encoding="utf-8")
        draft.replace(self._file)

    @property
    def now_at(self) -> datetime:
        """Where the clock stands when it goes on."""
        return self.start + STEP * max(0, self.done - 1)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to play."""
        return self.done >= self.steps


def fill_before(runtime: Runtime, clock: TravelClock, travel: Travel, leads: int) -> None:
    """What must be there when the first page is: the past, and some of the day's leads."""
    with runtime.database.reading() as reader:
        is_new = current_bundle(reader) is None
    if is_new and not travel.is_begun and not travel.is_over:
        travel.mark(0)
    if travel.is_begun or is_new:
        _play(runtime, clock, travel)
    clock.come_home()
    _set_up(runtime)
    with runtime.database.transaction() as uow:
        plan_absence(uow)
    _import(runtime, "trade-fair-leads.csv", PRESENT, min(leads, FIRST_LEADS), is_running=False)


def _play(runtime: Runtime, clock: TravelClock, travel: Travel) -> None:
    if travel.is_over:
        return
    _set_up(runtime, lasting=STEP * travel.steps)
    with runtime.database.reading() as reader:
        bundle = runtime.library.current(reader)
    from fairlead.api import labels_of  # noqa: PLC0415  the web framework would slow every other command down

    # Nothing of the past is mailed, whatever the settings say: it is a made-up company.
    unsent = unsent_mailer_of(runtime.settings, runtime.database)
    connectors, labels = connectors_for(runtime.settings.data_dir, unsent=unsent), labels_of(runtime.library)
    stage = Stage(runtime.engine, clock, connectors, bundle, Company(DEMO_COMPANY), labels)
    words.print(f"playing {counted(travel.steps - travel.done, 'week')} of a made-up company …")
    Past(stage, travel.start, travel.steps).play(travel.done, travel.mark)
    runtime.seal()


def _set_up(runtime: Runtime, lasting: timedelta = timedelta()) -> None:
    """The workspace's files as they are, teams, and what a company might have granted; what is there stays.

    Small deals by themselves, larger ones assisted; some of the largest, which stand at the top of the queue, are
    drawn for a blind answer. The grants expire so long after `lasting`.
    """
    deploy_here(runtime)
    with runtime.database.transaction() as uow:
        seed_teams(uow)
        policy = runtime.library.current(uow).policies["lead-assignment"]
        if grants_of(uow, policy.checkpoint):
            return
        for segment, level, threshold, drawn in _GRANTS:
            grant = Grant(
                "", policy.checkpoint, segment, "lead-rules@1", level, policy.version, uow.now + lasting + DEMO_GRANT,
                threshold, lottery_rate=drawn,
            )  # fmt: skip
            set_grant(uow, operator(), "admin", grant, {"note": "set by hand for the demo; not earned"})


def _rows(start: int, count: int) -> Iterator[tuple[str, ...]]:
    return (lead.row for lead in Company(DEMO_COMPANY).leads(count, start=start))


def _import(runtime: Runtime, name: str, start: int, count: int, *, is_running: bool = True) -> None:
    """A file of leads, unless it is there; where the engine is not running, they are moved to their reviews here."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / name
        write_rows(path, HEADER, _rows(start, count))
        with runtime.database.reading() as reader:
            bundle = runtime.library.current(reader)
            leads = open_lead_file(path, [], bundle.currency)
            known = finished_import_of(reader, leads.digest, PLAYBOOK) is not None
        with leads.reader:
            if known:
                return
            if not is_running:
                words.print(f"importing {counted(count, 'made-up lead')} …")
            take_in(runtime, bundle, leads, PLAYBOOK, lambda _bytes: None)
        if not is_running:
            run_ready(runtime.engine)


def fill_while_open(runtime: Runtime, leads: int, every_s: float, stop: threading.Event) -> None:
    """The rest of the day's work, and then a new lead every few seconds, until `stop`; 0: no new ones.

    What is stored already is not stored twice. Where the database is away the demo goes on without.
    """
    stop.wait(SETTLE_IN_S)
    with suppress(UnavailableError):
        if leads > FIRST_LEADS and not stop.is_set():
            _import(runtime, "webinar-leads.csv", PRESENT + FIRST_LEADS, leads - FIRST_LEADS)
        if not stop.is_set():
            _post_forms(runtime)
    while every_s and not stop.wait(every_s):
        with suppress(UnavailableError):
            number = ARRIVALS + int(time.time()) % 10_000_000
            _import(runtime, f"website-{number}.csv", number, 1)


def _post_forms(runtime: Runtime) -> None:
    with runtime.database.reading() as reader:
        bundle = runtime.library.current(reader)
    form = forms_of(bundle).get("contact")
    if form is None:
        return
    secret = runtime.settings.secret_key
    assert secret is not None  # noqa: S101  an opened runtime has one
    links = ConfirmLinks(secret.get_secret_value().encode(), runtime.settings.public_url)
    for number, typed in enumerate(_POSTED):
        answers = read_answers(form, typed)
        if answers.errors:  # the workspace's form is another one by now
            continue
        with suppress(FairleadError), runtime.database.transaction() as uow:
            submit(uow, bundle, form, answers, f"demo-{number}", links=links)
    runtime.dispatcher.wake()


class DataKind(StrEnum):
    """What a generated file holds."""

    LEADS = "leads"
    HISTORY = "history"


@says_errors
def demo_data(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV file to write; an existing one is refused.")],
    kind: Annotated[DataKind, typer.Option(help="leads: new ones. history: past ones with what became of them.")],
    rows: Annotated[int, typer.Option(min=1, max=MAX_ROWS, help="How many.")] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company.")] = 7,
    conversion: Annotated[float, typer.Option(min=0.001, max=0.999, help="Mean chance to convert.")] = 0.15,
    noise: Annotated[float, typer.Option(min=0.0, max=20.0, help="What no column tells, in logits.")] = 0.5,
    duplicates: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of leads entered twice.")] = 0.0,
    messy: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of rows with something wrong.")] = 1 / 12,
) -> None:
    """Write leads of a made-up company, to try things on; nobody in it is real."""
    options = CompanyOptions(seed=seed, conversion=conversion, noise=noise, duplicates=duplicates, messy=messy)
    company = Company(options)
    made: Any = (HEADER, (lead.row for lead in company.leads(rows)))
    if kind is DataKind.HISTORY:
        made = (HISTORY_HEADER, history_rows(company, rows, datetime.now(UTC)))
    if out.exists():
        raise InputError(f"{out} is there already; it is not overwritten.", code="file_exists")
    try:
        write_rows(out, *made)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}.", code="no_such_file") from None
    say(f"wrote {counted(rows, 'row')} to {out}")
    if kind is DataKind.HISTORY:
        say(f'learn from it with: fairlead train lead-score --input {out} --outcome Outcome --time "Created at"')
