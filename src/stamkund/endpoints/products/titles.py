"""Titles: the newspapers and other brands of an organisation, from its catalogue."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import scopes, values
from stamkund.rules.catalogue import Catalogue, Title
from stamkund.wire.about import About, Example
from stamkund.wire.call import Call
from stamkund.wire.endpoint import Loads, endpoint
from stamkund.wire.parameters import Parameter
from stamkund.wire.response import Item

TITLE_CODE = Parameter("title_code", values.TITLE_CODE, "The title's code.", required=True)


class TitleItem(msgspec.Struct):
    """A title. What the catalogue does not say of it is `null`."""

    name: str
    code: str
    image_url: str | None
    merchant_image_url: str | None
    url: str | None
    rgb: str | None


class TitlesResponse(msgspec.Struct):
    items: list[TitleItem]


class TitleResponse(msgspec.Struct):
    item: TitleItem


@endpoint(
    "GET",
    "/external/api/v1/titles",
    scope=scopes.TITLE_READ,
    loads=Loads(catalogue=True),
    personal=False,
    about=About(
        title="Get titles",
        group="Title",
        source='documentation page "Get titles" (Title API)',
        response=TitlesResponse,
        example=Example(response="get_titles"),
    ),
)
async def get_titles(_: Call, catalogue: Catalogue) -> TitlesResponse:
    """Returns all titles of the organisation, in the order of its catalogue; none where it has no catalogue."""
    return TitlesResponse([_item(title) for title in catalogue.titles])


@endpoint(
    "GET",
    "/external/api/v1/titles/find_one",
    scope=scopes.TITLE_READ,
    parameters=(TITLE_CODE,),
    loads=Loads(catalogue=True),
    personal=False,
    refusals=(problems.TITLE_NOT_FOUND,),
    about=About(
        title="Find one title",
        group="Title",
        source='documentation page "Find one title" (Title API)',
        response=TitleResponse,
        example=Example(query="title_code=TITLE_CODE", response="find_title"),
    ),
)
async def find_title(call: Call, catalogue: Catalogue) -> Item:
    """Returns the title that has this code."""
    title = catalogue.title(call.parameters[TITLE_CODE])
    if title is None:
        raise Refused(problems.TITLE_NOT_FOUND)
    return Item(_item(title))


def _item(title: Title) -> TitleItem:
    return TitleItem(
        name=title.name,
        code=title.code,
        image_url=title.image_url,
        merchant_image_url=title.merchant_image_url,
        url=title.url,
        rgb=title.rgb,
    )
