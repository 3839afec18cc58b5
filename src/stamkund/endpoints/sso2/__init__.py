"""Single sign-on (SSO2): a session that all sites of an organisation share.

A site's server sends a JWT that is signed with its client's secret, and gets one back.
"""
