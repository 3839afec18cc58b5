"""OAuth 2.0 and OpenID Connect: browser flow, token endpoint, userinfo, revocation, introspection, discovery.

Errors are OAuth's (RFC 6749), not the API's.
"""
