"""A gate to knock at: an application over a database of its own, keys, policies and a person who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import func, select
from starlette.testclient import TestClient

from fairlead import api, reviews
from fairlead.api.decisions import install_gate
from fairlead.audit import Trail
from fairlead.audit.tables import entry
from fairlead.checkpoints import SETTLEMENT, Grant, Level, parse_policy, set_grant
from fairlead.errors import NotFoundError
from fairlead.evidence import Labels
from fairlead.kit.actors import SYSTEM
from fairlead.kit.database import Database
from fairlead.kit.unit_of_work import Reader
from fairlead.kit.yamlmarks import did_you_mean
from fairlead.people import NewApiKey, create_api_key
from fairlead.reviews import Given, Reviewer, Verb
from fairlead.settings import Settings
from fairlead.testing.clock import FakeClock

SECRET = "s" * 40
SEED = b"seed of the tests"
REFUNDS = """
checkpoint: refunds
answer:
  type: object
  required: [amount]
  additionalProperties: false
  properties:
    amount: {type: number, minimum: 0, maximum: 10000}
    note: {type: string, maxLength: 100}
facts:
  country: {type: string, default: de}
  vip: {type: bool, from: customer.vip, default: false}
rules:
  - id: vip
    when: vip
    path: human
    words: A VIP is served by a person.
    customer: Your account manager looks at this.
  - {id: big, when: value > 500, path: assist, words: Above 500 a person approves.}
  - id: embargo
    when: country == 'kp'
    path: blocked
    words: We do not trade there.
    customer: We do not serve there.
review: {role: support, due: 4h}
lottery: {rate: 0}
"""
UNREAD = """
checkpoint: returns
answer: {type: object, properties: {keep: {type: boolean}}}
review: {role: support, due: 1h}
lottery: {rate: 0}
"""
ANN = Reviewer("per_ann", frozenset({"support"}), "Ann")
SCOPES = ("decisions:ask", "decisions:read", "decisions:execute", "outcomes:report", "reports:read")


UNCOMPARED = Labels(lambda *_: None)
"""Keeps blind answers without a policy to compare them by."""


@dataclass
class World:
    """What the tests hold; `headers` are those of the ordinary key."""

    database: Database
    clock: FakeClock
    app: FastAPI
    web: TestClient
    key: NewApiKey
    policies: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def at(cls, url: str, clock: FakeClock) -> World:
        """Everything, with a grant at refunds."""
        database = Database(url, clock=clock, trail=Trail())
        settings = Settings(secret_key=SECRET, database_url=url.replace("postgresql://", "postgresql+psycopg://"))
        policies = {
            policy.checkpoint: policy for policy in (parse_policy(text, "t.yaml") for text in (REFUNDS, UNREAD))
        }
        app = FastAPI()
        api.install(app, api.Services(database, settings, clock))

        def source(_reader: Reader, name: str) -> Any:
            if name not in policies:
                raise NotFoundError(f"There is no checkpoint {name!r}. {did_you_mean(name, policies)}")
            return policies[name]

        install_gate(app, source, SEED)
        web = TestClient(app, base_url="http://127.0.0.1")
        world = cls(database, clock, app, web, None, policies)  # type: ignore[arg-type]
        world.key = world.make_key()
        world.grant()
        return world

    @property
    def labels(self) -> Labels:
        """Keeps blind answers, compared by the policies of now."""
        return Labels(lambda _, review: self.policies.get(review.checkpoint))

    def make_key(self, **limits: Any) -> NewApiKey:
        """Another API key with these limits."""
        limits = {
            "checkpoints": ["*"],
            "max_value_minor": 500_000,
            "flags": ["vip"],
            "scopes": SCOPES,
        } | limits
        with self.database.transaction() as uow:
            return create_api_key(uow, SYSTEM, name="bot", **limits)

    def grant(self, checkpoint: str = "refunds", threshold: float = 0.9) -> None:
        """Autonomy for bot@1 from this score on."""
        version = self.policies[checkpoint].version
        grant = Grant(
            "",
            checkpoint,
            "other",
            "bot@1",
            Level.AUTO,
            version,
            self.clock.now() + timedelta(days=90),
            threshold,
        )
        with self.database.transaction() as uow:
            set_grant(uow, SYSTEM, "manager", grant, {"by": "hand"})

    def body(self, **changes: Any) -> dict[str, Any]:
        """The usual question, changed."""
        usual = {
            "checkpoint": "refunds", "proposal": {"answer": {"amount": 40}}, "producer": "bot@1",
            "score": 0.97, "value": 40, "idempotency_key": "order-1",
        }  # fmt: skip
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def headers(self, key: NewApiKey | None = None) -> dict[str, str]:
        """Of a request with this key."""
        return {"authorization": f"Bearer {(key or self.key).text}"}

    def ask(self, key: NewApiKey | None = None, **changes: Any) -> Any:
        """The response to a question."""
        return self.web.post("/v1/decisions", json=self.body(**changes), headers=self.headers(key))

    def asked(self, **changes: Any) -> dict[str, Any]:
        """The body of a question's answer that must be a 200."""
        answer = self.ask(**changes)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, key: NewApiKey | None = None) -> Any:
        """The response to a GET."""
        return self.web.get(path, headers=self.headers(key))

    def poll(self, decision: Mapping[str, Any]) -> dict[str, Any]:
        """The decision as it stands now."""
        found: dict[str, Any] = self.get(f"/v1/decisions/{decision['id']}").json()
        return found

    def executed(self, decision: Mapping[str, Any], key: NewApiKey | None = None, **body: Any) -> Any:
        """The response to a report of an execution under the decision's approval."""
        given = decision.get("approval") or {"token": "fla_none", "digest": "0"}
        usual = {"approval": given["token"], "digest": given["digest"], "ok": True, "result": {"paid": True}}
        sent = {name: value for name, value in (usual | body).items() if value is not None}
        return self.web.post(f"/v1/decisions/{decision['id']}/executed", json=sent, headers=self.headers(key))

    def decide(self, decision: Mapping[str, Any], verdict: Verb, *, undo_s: int = 10, **given: Any) -> str:
        """Ann claims the review and gives her verdict; effective after `undo_s`."""
        review_id: str = decision["review"]["id"]
        with self.database.transaction() as uow:
            claim = reviews.claim(uow, review_id, ANN, timedelta(minutes=10))
        with self.database.transaction() as uow:
            reviews.decide(
                uow, review_id, Given(verdict, claim.review.digest, **given), ANN,
                settlement=SETTLEMENT, labels=self.labels,
                check_answer=lambda name, answer: self.policies[name].answer.check(answer),
                effective_after=timedelta(seconds=undo_s),
            )  # fmt: skip
        return review_id

    def count(self, table: Any) -> int:
        """Rows of a table."""
        with self.database.reading() as reader:
            return int(reader.execute(select(func.count()).select_from(table)).scalar_one())

    def audited(self, subject: str) -> list[str]:
        """The verbs on record about a subject, oldest first."""
        with self.database.reading() as reader:
            query = select(entry.c.verb).where(entry.c.subject == subject).order_by(entry.c.id)
            return list(reader.execute(query).scalars())
