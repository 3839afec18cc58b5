"""Room 1, the stories: one file for each call, none of which imports another.

A file declares its call and tells its story in about ten lines: read the parameters, ask the rules, call one verb of
the store, answer.
"""

from __future__ import annotations

from stamkund.endpoints import (
    account,
    activation,
    active_products,
    attempts,
    authorization,
    candidate,
    discovery,
    documentation,
    health,
    introspection,
    key_set,
    login,
    logout,
    me,
    revocation,
    sso_identify,
    sso_login,
    sso_session,
    titles,
    token,
    userinfo,
)
from stamkund.wire.endpoint import Endpoint

CALLS: tuple[Endpoint, ...] = (
    candidate.get_candidate,
    activation.activate_candidate,
    account.get_account,
    active_products.get_active_products,
    attempts.get_authentication_attempts,
    attempts.create_authentication_attempt,
    me.get_me,
    active_products.get_my_active_products,
    titles.get_titles,
    titles.find_title,
    authorization.authorize,
    authorization.authorize_by_form,
    token.issue_token,
    discovery.discover,
    key_set.get_signing_keys,
    userinfo.get_userinfo,
    userinfo.post_for_userinfo,
    revocation.revoke_token,
    introspection.introspect_token,
    sso_identify.identify,
    sso_session.create_session,
    sso_session.session_status,
    sso_login.authenticate,
    sso_login.authenticate_with_ticket,
    sso_session.log_out,
    login.show_login_page,
    login.log_in,
    logout.show_logout_page,
    logout.end_session,
    health.live,
    health.ready,
)

ALL: tuple[Endpoint, ...] = documentation.documented(CALLS)
"""What the application answers: the calls, and what describes them."""
