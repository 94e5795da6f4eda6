"""The parameters by which a list is narrowed to the studies behind a figure of the monitoring."""

from typing import Annotated, Self

from fastapi import Depends, HTTPException, Query
from pydantic import BaseModel, Field, ValidationError, model_validator

from db.worklist.figure_filter import FigureFilter
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import VerdictGroup
from worklist.api.parameters import NO_NUL, AsNumber

Share = Annotated[float, Field(ge=0, le=1), AsNumber]
#: Three names of a header, each of at most 64 characters (LO) in at most four bytes.
MOST_SCANNER = 800

Version = Annotated[str, Field(max_length=64, pattern=NO_NUL)]
Scanner = Annotated[str, Field(max_length=MOST_SCANNER, pattern=NO_NUL)]

AGREEMENT = (
    "Only studies of which the latest verdict compares so with the AI; with `ensemble`, with what "
    "that version says, else with what the AI said when the verdict was given."
)
ENSEMBLE = "The ensemble version that `agreement` and `probability_from` mean."
FROM = "Only studies to which `ensemble` gives this probability or more."
BELOW = "Only studies to which `ensemble` gives less than this probability."
CODE = "Only studies with an image that was refused by this code."
SCANNER = "Only studies with an image of this scanner, as `/watching/scanners` names it."


class FigureFields(BaseModel):
    """The fields of a body or an address. All are left out by default."""

    agreement: VerdictGroup | None = Field(None, description=AGREEMENT)
    ensemble: Version | None = Field(None, description=ENSEMBLE)
    probability_from: Share | None = Field(None, description=FROM)
    probability_below: Share | None = Field(None, description=BELOW)
    code: RefusalCode | None = Field(None, description=CODE)
    scanner: Scanner | None = Field(None, description=SCANNER)

    @model_validator(mode="after")
    def _ensemble_is_named(self) -> Self:
        if self._has_probability and self.ensemble is None:
            raise ValueError("`probability_from` and `probability_below` need `ensemble`")
        return self

    @property
    def _has_probability(self) -> bool:
        return self.probability_from is not None or self.probability_below is not None

    def figure(self) -> FigureFilter | None:
        """The filter; None where no field is set."""
        low, high = self.probability_from, self.probability_below
        which = FigureFilter(
            agreement=self.agreement,
            ensemble=self.ensemble,
            probability=(low or 0.0, 1.0 if high is None else high)
            if self._has_probability
            else None,
            code=self.code,
            scanner=self.scanner,
        )
        return None if which == FigureFilter() else which


def _figure_fields(
    agreement: Annotated[VerdictGroup | None, Query(description=AGREEMENT)] = None,
    ensemble: Annotated[Version | None, Query(description=ENSEMBLE)] = None,
    probability_from: Annotated[Share | None, Query(description=FROM)] = None,
    probability_below: Annotated[Share | None, Query(description=BELOW)] = None,
    code: Annotated[RefusalCode | None, Query(description=CODE)] = None,
    scanner: Annotated[Scanner | None, Query(description=SCANNER)] = None,
) -> FigureFields:
    """The fields of an address. Raises HTTPException 422."""
    try:
        return FigureFields(
            agreement=agreement,
            ensemble=ensemble,
            probability_from=probability_from,
            probability_below=probability_below,
            code=code,
            scanner=scanner,
        )
    except ValidationError as error:
        raise HTTPException(422, error.errors()[0]["msg"].removeprefix("Value error, ")) from error


FigureParameters = Annotated[FigureFields, Depends(_figure_fields)]
