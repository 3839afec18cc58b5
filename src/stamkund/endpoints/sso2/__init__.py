"""What the single sign-on (SSO2) stories share: tokens both ways, who asks about which session, and what is answered.

A site's server asks with a JWT that is signed with its client's secret, and is answered with one. The stories are in
`endpoints/`; none of them imports another, so whatever two of them need is here.
"""
