"""The object that a schema is asked for, as pydantic has it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")
    country: str
    inland: bool


class Report(BaseModel):
    """The report of a city."""

    model_config = ConfigDict(extra="forbid")
    city: Literal["Oslo", "Bergen"]
    days: int
    tags: list[str]
    place: Place
