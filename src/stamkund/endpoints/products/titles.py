"""Titles: the newspapers and other brands of an organisation, as its catalogue has them."""

from __future__ import annotations

import msgspec

from stamkund import problems
from stamkund.problems import Refused
from stamkund.rules import scopes, values
from stamkund.rules.catalogue import Title
from stamkund.wire.endpoint import Call, Example, Item, endpoint
from stamkund.wire.parameters import Parameter

TITLE_CODE = Parameter("title_code", values.TITLE_CODE, "The title's code.", required=True)


class ShownTitle(msgspec.Struct):
    """A title. What the catalogue doesn't say of it is `null`."""

    name: str
    code: str
    image_url: str | None
    merchant_image_url: str | None
    url: str | None
    rgb: str | None


class TitlesResponse(msgspec.Struct):
    items: list[ShownTitle]


class TitleResponse(msgspec.Struct):
    item: ShownTitle


_ANSWER = """
{
    "items": [
        {
            "name": "The Herald",
            "code": "TITLE_CODE",
            "image_url": "https://herald.example.com/title.png",
            "merchant_image_url": null,
            "url": "https://herald.example.com",
            "rgb": "#00aabb"
        }
    ]
}
"""
_ONE = """
{
    "item": {
        "name": "The Herald",
        "code": "TITLE_CODE",
        "image_url": "https://herald.example.com/title.png",
        "merchant_image_url": null,
        "url": "https://herald.example.com",
        "rgb": "#00aabb"
    }
}
"""


@endpoint(
    "GET",
    "/external/api/v1/titles",
    title="Get titles",
    source='documentation page "Get titles" (Title API)',
    scope=scopes.TITLE_READ,
    catalogue=True,
    answer=TitlesResponse,
    personal=False,
    example=Example(answer=_ANSWER),
    group="Title",
)
async def get_titles(call: Call) -> TitlesResponse:
    """Answers all titles of the organisation, in the order of its catalogue; none where it has no catalogue."""
    return TitlesResponse([_shown(title) for title in (await call.catalogue()).titles])


@endpoint(
    "GET",
    "/external/api/v1/titles/find_one",
    title="Find one title",
    source='documentation page "Find one title" (Title API)',
    scope=scopes.TITLE_READ,
    parameters=(TITLE_CODE,),
    catalogue=True,
    answer=TitleResponse,
    personal=False,
    refusals=(problems.TITLE_NOT_FOUND,),
    example=Example(query="title_code=TITLE_CODE", answer=_ONE),
    group="Title",
)
async def find_title(call: Call) -> Item:
    """Answers the title that has this code."""
    title = (await call.catalogue()).title(call.given[TITLE_CODE])
    if title is None:
        raise Refused(problems.TITLE_NOT_FOUND)
    return Item(_shown(title))


def _shown(title: Title) -> ShownTitle:
    return ShownTitle(title.name, title.code, title.image_url, title.merchant_image_url, title.url, title.rgb)
