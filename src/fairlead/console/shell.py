"""What every page shares: who is signed in, which workspace, what is stopped, and how a form is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from fairlead.api import render_page, services
from fairlead.checkpoints import stops
from fairlead.errors import InputError, TooLargeError
from fairlead.people import Permission, Principal
from fairlead.sales import RefusalCounter

if TYPE_CHECKING:
    from fairlead.console.assets import Assets
    from fairlead.console.feed import Feed
    from fairlead.kit.unit_of_work import Reader
    from fairlead.playbooks import Bundle, BundleLibrary

TEMPLATES = Path(__file__).parent / "templates"
MAX_FIELDS = 400
_DESK = "fairlead.desk"

SAID = {
    "claimed": "This review is yours now.",
    "released": "Given back to the queue.",
    "snoozed": "Put away until the time you chose.",
    "unsnoozed": "Back in the queue, as yours.",
    "escalated": "Passed on.",
    "asked": "The clock stands still until the information comes.",
    "resumed": "The clock goes on.",
    "returned": "Returned to the queue for somebody else.",
    "labelled": "Your own answer is kept. Here is the proposal: now decide.",
    "compared": "Your answer is kept and compared with what the machine decided. Nothing else was touched.",
    "voted": "Your vote counts. It takes another person to settle it.",
    "undone": "Taken back. The review is yours again.",
    "empty": "Nothing else waits for you.",
    "skipped": "Given back; this is the next one.",
    "steered": "Done. The case shows where it stands now.",
    "granted": "The grant is in force.",
    "withdrawn": "The grant is withdrawn; the machine is back in shadow there.",
    "signed": "The signature counts from now on, for this version of the policy.",
    "unsigned": "The signature is withdrawn; grants and stop switches govern there from now on.",
    "stopped": "The stop switch is on. People decide there from now on.",
    "lifted": "The stop switch is off.",
    "experiment_stopped": "The experiment is stopped. Nobody is drawn any more; everybody new gets the arm you chose.",
    "importing": "A worker reads the file now. What its columns mean is remembered for the next such file.",
    "taken_back": "The import is being taken back: its open cases are cancelled, its leads stay, marked.",
    "dropped": "The file was dropped; nothing of it came in.",
    "guessed": "What was said about such columns is forgotten; this is a fresh guess.",
    "scoring": "This version scores from now on. What it may decide is up to its own grants.",
    "noted": "The note is in. Nothing is written before it is decided.",
    "noted_before": "This very text was added before; here it is.",
    "note_undone": "Taken back, where nobody had changed it since.",
    "team_made": "The team is made. Put people into it.",
    "team_changed": "Done. It counts from the next lead on.",
    "handed": "The lead changed hands.",
    "worked": "The lead no longer counts as open.",
    "touched": "The contact is logged.",
    "untouched": "The contact is taken back.",
    "searching": "A worker looks for duplicates in the next moments; what it finds is shown here.",
    "flagged": "Done. The flag counts from now on.",
    "code_sent": "If nothing stands against it, a code is on its way. Ask the customer to read it out to you.",
    "checked": "The code is right. It says below what may be spoken of, and until when.",
    "located": "Written down. Quiet hours go by it from now on.",
    "consented": "Written down in the ledger.",
    "withdrawn_consent": "Withdrawn. Nothing of the kind is sent from now on.",
    "retelling": "A worker tells the system again in the next moments.",
    "resent": "Queued. A worker tries it in the next moments; a message passes the gate again.",
    "settled": "Written down.",
    "repaired": "Written down. The customer can read that it was put right.",
    "right_asked": "Written down. Somebody decides it here; nothing is done before.",
    "right_extended": "Written down. It counts with the new date.",
    "unmerged": "Taken back. The other record stands for itself again, with what it had.",
}
"""What a redirect may make the next page say; the address holds the key, never the words."""


class NavItem(NamedTuple):
    """One entry of the top navigation."""

    href: str
    words: str
    permission: Permission


NAV = (
    NavItem("/reviews", "Reviews", Permission.REVIEWS_READ),
    NavItem("/repairs", "Repairs", Permission.REVIEWS_READ),
    NavItem("/cases", "Cases", Permission.CASES_READ),
    NavItem("/playbooks", "Playbooks", Permission.PLAYBOOKS_READ),
    NavItem("/scores", "Scores", Permission.PLAYBOOKS_READ),
    NavItem("/customers", "Customers", Permission.CUSTOMERS_READ),
    NavItem("/rights", "Rights", Permission.CUSTOMERS_READ),
    NavItem("/contact", "Contact", Permission.CUSTOMERS_READ),
    NavItem("/outbox", "Outbox", Permission.OUTBOX_READ),
    NavItem("/imports", "Imports", Permission.CASES_READ),
    NavItem("/forms", "Forms", Permission.CASES_READ),
    NavItem("/notes", "Notes", Permission.CUSTOMERS_READ),
    NavItem("/teams", "Teams", Permission.PEOPLE_READ),
    NavItem("/grants", "Autonomy", Permission.GRANTS_READ),
    NavItem("/stops", "Stops", Permission.GRANTS_READ),
    NavItem("/audit", "Audit", Permission.AUDIT_READ),
)


@dataclass(frozen=True, slots=True)
class Console:
    """The console's own state; one per application, in `app.state.console`."""

    library: BundleLibrary
    feed: Feed
    assets: Assets
    refused: RefusalCounter = field(default_factory=RefusalCounter)
    """Posts of web forms that were refused and are not written yet."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the frame of a page shows; `bundle` None before the first deploy."""

    principal: Principal
    path: str
    bundle: Bundle | None = None
    stops: tuple[Any, ...] = ()
    said: str = ""
    nav: tuple[NavItem, ...] = field(default=())

    @property
    def workspace(self) -> str:
        """The company's name as its workspace file gives it."""
        return self.bundle.name if self.bundle else "Nothing deployed yet"

    @property
    def currency(self) -> str:
        """ISO code of the workspace's money."""
        return self.bundle.currency if self.bundle else ""

    def can(self, permission: str) -> bool:
        """Whether to show what needs this permission."""
        return self.principal.can(Permission(permission))


def console_of(request: Request) -> Console:
    """The console of the application that serves this request."""
    found: Console = request.app.state.console
    return found


def desk_of(request: Request, reader: Reader, principal: Principal) -> Desk:
    """Read the frame; the page and, should it fail, its error page use the same."""
    library = console_of(request).library
    try:
        bundle = library.current(reader)
    except InputError:
        bundle = None
    nav = tuple(item for item in NAV if principal.can(item.permission))
    said = SAID.get(request.query_params.get("said", ""), "")
    desk = Desk(principal, request.url.path, bundle, tuple(stops(reader)), said, nav)
    request.scope[_DESK] = desk
    return desk


def render(request: Request, name: str, desk: Desk, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Answer with a page in the frame."""
    return render_page(request, name, status=status, desk=desk, now=services(request).clock.now(), **context)


_HEADLINES = {
    400: "This request cannot be used",
    401: "You are not signed in",
    403: "You may not do this",
    404: "There is nothing here",
    409: "Somebody was faster, or something changed",
    413: "That is too much at once",
    422: "This cannot be used as it is",
    429: "Too many requests",
    503: "Not available right now",
}


def render_error(request: Request, status: int, error: dict[str, Any]) -> str:
    """The error page in the frame as far as that is known; reads nothing, since reading may be the cause."""
    desk = request.scope.get(_DESK)
    principal: Principal | None = request.scope.get("fairlead.principal")
    if desk is None and principal is not None:
        nav = tuple(item for item in NAV if principal.can(item.permission))
        desk = Desk(principal, request.url.path, nav=nav)
    headline = _HEADLINES.get(status, "This did not work")
    page = render_page(request, "error.html", status=status, error=error, headline=headline, desk=desk, code=status)
    return bytes(page.body).decode()


class Posted(Mapping[str, str]):
    """The text fields of a posted form; `all` gives every value of a repeated one."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._last = dict(pairs)

    def __getitem__(self, key: str) -> str:
        return self._last[key]

    def __iter__(self) -> Any:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def all(self, key: str) -> list[str]:
        """Every value under this name, in order."""
        return [value for name, value in self.pairs if name == key]

    def text(self, key: str) -> str:
        """The value without blanks around it and with plain line ends; "" when it is absent."""
        return self._last.get(key, "").replace("\r\n", "\n").strip()


async def posted(request: Request) -> Posted:
    """The form of this request; a dependency. TooLargeError past 400 fields, files are passed over."""
    form = await request.form(max_fields=MAX_FIELDS, max_files=0)
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if len(pairs) > MAX_FIELDS:
        raise TooLargeError(f"A form has at most {MAX_FIELDS} fields.", limit=MAX_FIELDS, unit="fields")
    return Posted(pairs)


def go(path: str, **query: str | None) -> RedirectResponse:
    """See other; query parts that are None or empty are left out."""
    parts = {name: value for name, value in query.items() if value}
    return RedirectResponse(f"{path}?{urlencode(parts)}" if parts else path, 303)
