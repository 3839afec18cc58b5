"""Objects and arrays in JSON bodies: what an address, a list of tags or a map of external ids may hold.

How many members or items there are is looked at before any of them. How deep a value goes is bounded by its
declaration: where a text is expected, an array is refused unread. Refusals name the path (`address.zip_code`,
`tags.2`, `marketing_permissions.0.id`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules.values import Context, Invalid, ValueType
from stamkund.wire.parameters import Parameter, ParameterSet, ParsedParameters, StructuredType, json_text

T = TypeVar("T")
Item = TypeVar("Item")


class ObjectType(StructuredType[T], Generic[T]):
    """An object with declared members, of which `make` makes the value."""

    json_type: ClassVar[str] = "object"

    def __init__(
        self, members: Sequence[Parameter[Any]], make: Callable[[ParsedParameters], T], example: dict[str, Any]
    ) -> None:
        self.members = ParameterSet(members, json=True)
        self.example = example
        self._make = make

    def parse(self, sent: Any, path: str, context: Context) -> T:
        if not isinstance(sent, dict):
            raise Refused(problems.invalid(path, "Parameter must be an object"))
        return self._make(self.members.parse_members(sent, f"{path}.", context))

    def unknown(self, sent: Any, path: str) -> Iterator[str]:
        return self.members.unknown(sent, f"{path}.") if isinstance(sent, dict) else iter(())


class ArrayType(StructuredType[list[Item]], Generic[Item]):
    """An array of at most `max_items` items of one type."""

    json_type: ClassVar[str] = "array"

    def __init__(self, item: ValueType[Item] | ObjectType[Item], max_items: int, *, unique: bool = False) -> None:
        """`unique`: doubles are dropped, the first of them stays."""
        self.item = item
        self.max_items = max_items
        self.example = [item.example]
        self._unique = unique

    def parse(self, sent: Any, path: str, context: Context) -> list[Item]:
        if not isinstance(sent, list):
            raise Refused(problems.invalid(path, "Parameter must be an array"))
        if len(sent) > self.max_items:
            raise Refused(problems.invalid(path, f"Parameter must have at most {self.max_items} items"))
        items = [self._item(item, f"{path}.{place}", context) for place, item in enumerate(sent)]
        return list(dict.fromkeys(items)) if self._unique else items

    def unknown(self, sent: Any, path: str) -> Iterator[str]:
        """Of as many items as there may be: an array with more is refused."""
        if isinstance(sent, list) and isinstance(self.item, ObjectType):
            for place, item in enumerate(islice(sent, self.max_items)):
                yield from self.item.unknown(item, f"{path}.{place}")

    def _item(self, sent: Any, path: str, context: Context) -> Item:
        if isinstance(self.item, ObjectType):
            return self.item.parse(sent, path, context)
        return json_text(sent, self.item, path, context)


class MapType(StructuredType[dict[str, Item]], Generic[Item]):
    """An object whose members have any names: 1 to `max_members`, name and value of one type each.

    A member's value is refused by its path. A name that is wrong is not repeated: the refusal names the whole object.
    """

    json_type: ClassVar[str] = "object"

    def __init__(self, key: ValueType[str], value: ValueType[Item], max_members: int, example: dict[str, Any]) -> None:
        self.key, self.value = key, value
        self.max_members = max_members
        self.example = example

    def parse(self, sent: Any, path: str, context: Context) -> dict[str, Item]:
        if not isinstance(sent, dict):
            raise Refused(problems.invalid(path, "Parameter must be an object"))
        if not 1 <= len(sent) <= self.max_members:
            raise Refused(problems.invalid(path, f"Parameter must have 1 to {self.max_members} members"))
        members: dict[str, Item] = {}
        for name, value in sent.items():
            try:
                key = self.key.parse(name, context)
            except Invalid as error:
                sentence = str(error).replace("Parameter", "Each key")
                raise Refused(problems.invalid(path, sentence)) from None
            members[key] = json_text(value, self.value, f"{path}.{key}", context)
        return members
