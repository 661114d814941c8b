"""Shapes that many routes share: bounded texts, moments, ids in addresses, strict bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MAX_PAGE = 200
MAX_MINOR = 2**53

_LATEST_YEAR = 9000


class Sent(BaseModel):
    """A body that somebody sends; a name that the route does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """A part of an answer, readable from any object with attributes of the same names."""

    model_config = ConfigDict(from_attributes=True)


def _utc(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such moment") from None
    if moment.year > _LATEST_YEAR:
        raise ValueError(f"moments up to the year {_LATEST_YEAR} only")
    return moment


Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Reason = Annotated[str, StringConstraints(max_length=4_000)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]

PathId = Annotated[str, Path(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most items of one page.")]
Before = Annotated[str | None, Query(max_length=64, description="The `next` of the page before; newest come first.")]
