"""The gate for programs: ask before a risky action, run exactly what was decided, say what came of it.

client = Client("https://desk.example", api_key)
decision = client.checkpoint("refunds", {"amount": 40}, producer="bot@3", score=0.97, value=40, wait=20)
client.execute(decision, lambda answer: shop.refund(order, answer["amount"]))
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import httpx2

from fairlead.errors import (
    ConflictError,
    FairleadError,
    ForbiddenError,
    GoneError,
    InputError,
    NotFoundError,
    NotSignedInError,
    TooLargeError,
    TooManyRequestsError,
    UnavailableError,
)

LONGEST_WAIT_S = 30.0
MAX_ANSWER_BYTES = 4_000_000
_T = TypeVar("_T")
_ERRORS: dict[int, type[FairleadError]] = {
    error.status: error
    for error in (
        ConflictError, ForbiddenError, GoneError, InputError, NotFoundError, NotSignedInError, TooLargeError,
        TooManyRequestsError,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to execute `answer` once before `expires_at`; the token stays with the program that asked."""

    decision_id: str
    answer: Mapping[str, Any]
    digest: str
    expires_at: datetime
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """How a proposal stands.

    `state` is waiting, decided or blocked. `answer` is what may be done, perhaps edited by a person; None
    while it
    waits and when nothing may be done. `approval` is None, too, once it was used or has expired.
    """

    id: str
    state: str
    path: str
    answer: Mapping[str, Any] | None
    verdict: str | None
    explanation: str
    approval: Approval | None
    ruling: Mapping[str, Any] = field(repr=False)
    review_url: str | None = None
    reason: str | None = None
    client: Client | None = field(default=None, repr=False, compare=False)

    @property
    def allowed(self) -> bool:
        """Whether there is an approval that can be executed now, as far as was known when this was read."""
        return self.approval is not None

    @property
    def waiting(self) -> bool:
        """Whether a person still has to decide."""
        return self.state == "waiting"

    def result(self, timeout: float) -> Decision:
        """The decision once it is no longer waiting, or as it stands after `timeout` seconds."""
        if self.client is None:
            raise InputError("This decision did not come from a client, so it cannot be polled.")
        until = time.monotonic() + timeout
        one = self
        while one.waiting and (left := until - time.monotonic()) > 0:
            asked_at = time.monotonic()
            one = self.client.decision(self.id, wait=min(left, LONGEST_WAIT_S))
            if one.waiting and time.monotonic() - asked_at < 1.0:  # the server did not hold us; do not hammer it
                time.sleep(min(1.0, max(0.0, until - time.monotonic())))
        return one


class Client:
    """One API key's view of one Fairlead; safe to share between threads, to be closed at the end.

    Refusals are raised as the errors of `fairlead.errors`, with the code and fields that the server gave.
    What
    could not be reached, or answered with a fault, is an UnavailableError: repeat it with the same
    idempotency key.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = 10.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`timeout_s` bounds each request beyond what it waits for; `transport` None means the network."""
        self._timeout_s = timeout_s
        self._http = httpx2.Client(
            base_url=base_url.rstrip("/"),
            headers={"authorization": f"Bearer {api_key}", "user-agent": "fairlead-client"},
            transport=transport,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def checkpoint(
        self, name: str, proposal: Mapping[str, Any], *, producer: str, idempotency_key: str | None = None,
        wait: float = 0.0, **more: Any,
    ) -> Decision:  # fmt: skip
        """Have `proposal` decided at the checkpoint `name`; waits up to `wait` seconds, at most 30, for a
        person.

        `more` are `score`, `value` (whole units), `currency`, `customer` (`{"email": …}`), `flags`, `signals`
        and
        `title`. Without an idempotency key each call is a new decision, so give one wherever a retry can
        happen.
        """
        body = {
            "checkpoint": name, "proposal": {"answer": dict(proposal)}, "producer": producer, "wait": wait,
            "idempotency_key": idempotency_key or str(uuid.uuid4()),
        }  # fmt: skip
        body |= {key: value for key, value in more.items() if value is not None}
        return self._decision(self._call("POST", "/v1/decisions", wait, json=body))

    def decision(self, decision_id: str, *, wait: float = 0.0) -> Decision:
        """How it stands now, or after up to `wait` seconds, at most 30."""
        path = f"/v1/decisions/{decision_id}"
        return self._decision(self._call("GET", path, wait, params={"wait": wait} if wait else {}))

    def execute(self, approved: Decision | Approval, fn: Callable[[Mapping[str, Any]], _T]) -> _T:
        """Call `fn` with exactly the decided answer, once, and report how it went; returns what `fn` did.

        ForbiddenError without an approval, ConflictError when it was used already, GoneError when it has
        expired:
        `fn` was not called then. An exception of `fn` is reported as failed and passed on; the approval is
        used.
        """
        approval = approved.approval if isinstance(approved, Decision) else approved
        if approval is None:
            raise ForbiddenError("This is not approved, so it was not executed.", code="not_approved")
        path = f"/v1/decisions/{approval.decision_id}/executed"
        use = {"approval": approval.token, "digest": approval.digest}
        begun = self._call("POST", path, json=use)
        # What runs is the server's word of what was decided, not what this object may have become meanwhile.
        try:
            result = fn(begun["answer"])
        except BaseException as error:
            self._call("POST", path, json={**use, "ok": False, "result": f"{type(error).__name__}: {error}"[:2_000]})
            raise
        self._call("POST", path, json={**use, "ok": True, "result": _short(result)})
        return result

    def outcome(
        self,
        decision: Decision | str,
        name: str,
        value: Any,
        *,
        key: str,
        happened_at: datetime | None = None,
    ) -> None:
        """Report what came of a decision; the same report under the same key again is harmless."""
        body = {
            "decision": decision if isinstance(decision, str) else decision.id, "name": name, "value": value,
            "happened_at": (happened_at or datetime.now(UTC)).isoformat(), "key": key,
        }  # fmt: skip
        self._call("POST", "/v1/outcomes", json=body)

    def explanation(self, decision_id: str, *, audience: str = "staff") -> str:
        """Why, for `staff` or in words fit for the `customer`."""
        path = f"/v1/decisions/{decision_id}/explanation"
        return str(self._call("GET", path, params={"audience": audience})["explanation"])

    def _call(self, method: str, path: str, wait: float = 0.0, **how: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, timeout=self._timeout_s + wait, **how)
        except httpx2.HTTPError as error:
            raise UnavailableError(f"Fairlead was not reached: {type(error).__name__}: {error}") from error
        if answer.status_code >= 300:  # noqa: PLR2004  redirects are no answer either
            _refused(answer)
        try:
            found: dict[str, Any] = answer.json()
        except ValueError as error:
            raise UnavailableError("What answered is not Fairlead: it sent no JSON.") from error
        return found

    def _decision(self, body: dict[str, Any]) -> Decision:
        given = body["approval"]
        approval = given and Approval(
            body["id"],
            body["answer"],
            given["digest"],
            datetime.fromisoformat(given["expires_at"]),
            given["token"],
        )
        return Decision(
            body["id"], body["state"], body["path"], body["answer"], body["verdict"], body["explanation"],
            approval, body["ruling"], body["review"] and body["review"]["url"], body["reason"], self,
        )  # fmt: skip


def _refused(answer: httpx2.Response) -> NoReturn:
    kind = _ERRORS.get(answer.status_code, InputError if answer.status_code < 500 else UnavailableError)  # noqa: PLR2004
    try:
        error = answer.json()["error"]
        fields = {name: value for name, value in (error.get("fields") or {}).items() if name not in {"message", "code"}}
        raise kind(str(error["message"]), code=str(error["code"]), **fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise kind(f"Fairlead answered with HTTP {answer.status_code}.") from None


def _short(result: Any) -> Any:
    """What is reported of a result: JSON as it is while it is small, else how it looks as text."""
    if result is None or isinstance(result, (bool, int, float)):
        return result if result == result else None  # noqa: PLR0124  NaN is no JSON
    return str(result)[:2_000]
