"""Who a reader is: passwords, logins, browser sessions, tokens and the keys of ID tokens.

Every channel through which a reader logs in uses this package, so that limits, counting and lockouts are the same
behind all of them. Nothing here knows an endpoint.
"""
