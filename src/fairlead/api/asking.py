"""What programs send to the gate, checked before anything is looked up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fairlead.customers import Identity
from fairlead.errors import InputError
from fairlead.reviews import GateRequest

MAX_WAIT_S = 30
Text200 = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Body = TypeVar("_Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class CustomerBody(_Strict):
    """The customer, by exactly one of these."""

    id: Text200 | None = None
    email: Annotated[str, StringConstraints(min_length=3, max_length=320)] | None = None
    phone: Annotated[str, StringConstraints(min_length=3, max_length=40)] | None = Field(
        None, description="With its country code, such as +49 30 901820."
    )
    external_id: Text200 | None = None

    def parts(self) -> tuple[str | None, Identity | None]:
        """(customer id, normalised identity), one of them None; InputError when there is not exactly one."""
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise InputError("Name the customer by one of id, email, phone and external_id.", code="customer")
        if self.email is not None:
            return None, ("email", _email(self.email))
        if self.phone is not None:
            return None, ("phone", _phone(self.phone))
        if self.external_id is not None:
            if not self.external_id.strip():
                raise InputError("The external_id is blank.", code="external_id")
            return None, ("external_id", self.external_id.strip())
        return self.id, None


class ProposalBody(_Strict):
    """What the machine would do."""

    answer: dict[str, Any] = Field(description="Must fit the checkpoint's schema.")


class AskBody(_Strict):
    """A proposal to be decided."""

    checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    proposal: ProposalBody
    producer: Text200 = Field(
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="name@version of the model, prompt or rule set that answered, such as refund-bot@1.",
    )
    idempotency_key: Text200 = Field(description="The same for every attempt at the same proposal; kept 30 days.")
    score: float | None = Field(None, description="Any confidence, higher is surer.")
    value: Annotated[Decimal, Field(ge=0)] | None = Field(
        None, description="Money at stake, in whole units of the currency."
    )
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="ISO 4217; without it the workspace's own."
    )
    customer: CustomerBody | None = None
    flags: Annotated[list[Text200], Field(max_length=50)] = Field(
        default_factory=list,
        description="What the caller says of the customer; only flags that the key may assert.",
    )
    signals: dict[str, Any] = Field(default_factory=dict, description="Facts for the policy and the reviewer.")
    title: Annotated[str, StringConstraints(max_length=300)] = Field(
        "", description="What a reviewer sees in the list."
    )
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT_S)] = Field(
        0, description="Seconds to wait for a decision before answering that it waits."
    )

    def request(self) -> GateRequest:
        """The same for the gate; InputError for an e-mail address or number that cannot be one."""
        customer_id, identity = self.customer.parts() if self.customer else (None, None)
        return GateRequest(
            checkpoint=self.checkpoint,
            key=self.idempotency_key,
            answer=self.proposal.answer,
            producer=self.producer,
            score=self.score,
            value=self.value,
            currency=self.currency,
            customer_id=customer_id,
            identity=identity,
            flags=tuple(dict.fromkeys(self.flags)),
            signals=self.signals,
            title=self.title,
        )


class ExecutedBody(_Strict):
    """An execution that begins (`ok` absent) or has ended, under an approval."""

    approval: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The token of the approval."
    )
    digest: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        None, description="The approval's digest; or give the answer itself."
    )
    answer: dict[str, Any] | None = None
    ok: bool | None = Field(None, description="Whether it worked; absent: it is about to begin.")
    result: Any = Field(None, description="What came back, any JSON of at most 16 KiB.")


class OutcomeBody(_Strict):
    """What came of a decision."""

    decision: Text200
    name: Annotated[str, StringConstraints(max_length=64)] = Field(description="Such as refunded, churned, csat.")
    value: Any = Field(description="Any JSON but null, at most 4 KiB.")
    happened_at: datetime
    key: Text200 = Field(description="Unique among your outcomes; the same report again is harmless.")


Audience = Literal["staff", "customer"]


def body_of(model: type[_Body], raw: bytes) -> _Body:
    """The body as this model; RequestValidationError, with every field that is wrong, when it is not one."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        raise RequestValidationError(found) from None


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` for a route that reads its body with `body_of`."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(schema)}}}}


def _inlined(schema: dict[str, Any]) -> Any:
    parts = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return walk(parts[node["$ref"].rpartition("/")[2]])
            return {name: walk(value) for name, value in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    return walk(schema)


def _email(text: str) -> str:
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.casefold()
    except EmailNotValidError as error:
        raise InputError(f"The e-mail address cannot be used: {error}", code="email") from None


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text.strip(), None)
    except phonenumbers.NumberParseException:
        raise InputError("The phone number needs its country code, such as +49.", code="phone") from None
    if not phonenumbers.is_valid_number(number):
        raise InputError("No such phone number can exist in its country.", code="phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
