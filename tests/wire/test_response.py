"""The head of a response: as fields for ASGI, and as text for our own connections."""

from __future__ import annotations

import pytest

from stamkund.wire.response import Response, head_fields, head_text

RESPONSES = [
    Response(200, b"{}", request_id="1"),
    Response(200, b"", request_id=""),
    Response(404, b"none", b"text/plain", ((b"cache-control", b"no-store"), (b"x-tab", b"a\tb")), "1"),
    Response(302, b"", b"text/plain", ((b"set-cookie", b"a"), (b"set-cookie", b"b")), "1"),
    Response(204, b"", headers=((b"vary", b"origin"),), request_id="1"),
    Response(200, "å".encode(), headers=((b"x-byte", b"\xe5"),), request_id="1"),
]


@pytest.mark.parametrize("response", RESPONSES)
def test_fields_and_text_are_the_same(response: Response) -> None:
    for _ in range(2):  # the second time from the cache
        assert head_text(response) == b"".join(b"%b: %b\r\n" % field for field in head_fields(response))


def test_a_response_says_how_long_it_is() -> None:
    fields = dict(head_fields(RESPONSES[0]))
    assert (fields[b"content-type"], fields[b"content-length"]) == (b"application/json", b"2")
    assert fields[b"x-request-id"] == b"1"
    assert {b"content-type", b"content-length"}.isdisjoint(dict(head_fields(RESPONSES[4])))


@pytest.mark.parametrize("response", RESPONSES)
def test_only_what_has_a_body_has_a_content_type(response: Response) -> None:
    """oidc-client-ts reads the content type of a revocation's empty response, and refuses what is not JSON."""
    assert (b"content-type" in dict(head_fields(response))) == (response.body != b"")


def test_a_response_has_the_security_headers_that_it_does_not_set_itself() -> None:
    own = (b"referrer-policy", b"same-origin"), (b"content-security-policy", b"default-src data:")
    for response in (*RESPONSES, Response(200, b"", headers=own)):
        fields = head_fields(response)
        for name in (b"x-content-type-options", b"referrer-policy", b"cross-origin-resource-policy"):
            assert name in dict(fields)
    assert dict(head_fields(RESPONSES[0]))[b"content-security-policy"] == b"default-src 'none'; frame-ancestors 'none'"
    assert dict(head_fields(Response(200, b"", headers=own)))[b"referrer-policy"] == b"same-origin"


@pytest.mark.parametrize("character", [*range(32), 127])
def test_no_control_character_reaches_the_head(character: int) -> None:
    value = b"a" + bytes([character]) + b"b"
    for response in (Response(200, b"", headers=((b"x-name", value),)), Response(200, b"{}", value)):
        if character == ord("\t"):
            assert value in head_text(response)
            continue
        for _ in range(2):
            with pytest.raises(ValueError, match="control character"):
                head_text(response)


def test_where_there_is_no_body_none_is_sent() -> None:
    for head in (head_fields, head_text):
        with pytest.raises(ValueError, match="no"):
            head(Response(204, b"HTTP/1.1 200 OK\r\n\r\n"))
