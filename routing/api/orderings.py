"""Parameter for the order of a list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from routing.api import inputs
from routing.api.pagination import Clause, Order


def ordering(
    columns: Mapping[str, str],
    *,
    exclusive: frozenset[str] = frozenset(),
    ties: Mapping[str, str] = MappingProxyType({}),
) -> inputs.Param:
    """Return a parameter for an order such as `DateCreated:asc,Priority:desc`.

    Arguments:
        columns: the column behind each name.
        exclusive: names that exclude each other.
        ties: the second sort key, in the opposite direction, if the list is sorted by one name
            alone. An index that is read from either end then gives both directions.
    """
    directions = {"asc": False, "desc": True}
    wanted = f"it must be a list of pairs such as {next(iter(columns))}:asc, with the names "
    wanted += f"{', '.join(columns)} and the directions asc and desc"

    def convert(value: str, place: inputs.Place) -> Order:
        clauses: dict[str, Clause] = {}
        for pair in value.split(","):
            name, colon, direction = (part.strip() for part in pair.partition(":"))
            descending = directions.get(direction.lower() if colon else "asc")
            if name not in columns or descending is None:
                place.refuse(value, wanted)
            if name in clauses:
                place.refuse(value, f"{name} may stand in it only once")
            clauses[name] = Clause(columns[name], descending)
        if len(exclusive & clauses.keys()) > 1:
            place.refuse(value, f"only one of {' and '.join(sorted(exclusive))} is possible")
        *before, last = clauses.values()
        if not before and name in ties:
            last = Clause(columns[ties[name]], not last.descending)
            clauses[ties[name]] = last
        return (*clauses.values(), Clause("id", last.descending))

    clause = f"(?:{'|'.join(columns)})(?::(?:asc|desc))?"
    schema = {"type": "string", "pattern": f"^{clause}(?:,{clause})*$"}
    return inputs.Param("Ordering", "ordering", convert, schema=schema).says(
        f"The sort order: {', '.join(columns)}, each with `:asc` or `:desc`; several"
        " are separated by commas." + "".join(map(_describe_ties, ties.items())),
        f"{next(iter(columns))}:desc",
    )


def _describe_ties(tie: tuple[str, str]) -> str:
    name, further = tie
    return (
        f" {name}:desc alone sorts equal ones by {further}, oldest first; {name}:asc is the"
        " reverse of that list."
    )
