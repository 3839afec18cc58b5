"""What the OAuth 2.0 and OpenID Connect stories share: who the client is, which errors there are, how tokens are made.

The stories themselves (token endpoint, authorization, revocation …) are in `endpoints/`; none of them imports another,
so whatever two of them need is here. Errors are OAuth's (RFC 6749), not the API's.
"""
