// A site that logs readers in with openid-client. Reads what to do from standard input: `{do, server, client, …}`.
// What the library refuses is returned as `{refused: …}`; everything else that goes wrong ends the script.
import { readFileSync } from "node:fs";
import * as openid from "openid-client";

const AUTHENTICATION = {
  post: openid.ClientSecretPost,
  basic: openid.ClientSecretBasic,
  none: openid.None,
};

async function configured({ server, client }) {
  const authentication = AUTHENTICATION[client.authentication](client.secret);
  const execute = [openid.allowInsecureRequests, openid.enableNonRepudiationChecks];
  return openid.discovery(new URL(server), client.id, {}, authentication, { execute });
}

// Where to send the reader's browser, and what the site keeps until the browser is back.
async function begin(request) {
  const config = await configured(request);
  const login = {
    verifier: openid.randomPKCECodeVerifier(),
    state: openid.randomState(),
    nonce: openid.randomNonce(),
  };
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: request.redirect_uri,
    scope: request.scope,
    state: login.state,
    nonce: login.nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(login.verifier),
    code_challenge_method: "S256",
  });
  return { url: url.href, login, metadata: config.serverMetadata() };
}

// The browser is back at `callback`: the code for tokens. The ID token's signature and claims are checked on the way.
async function finish(request) {
  const config = await configured(request);
  const tokens = await openid.authorizationCodeGrant(config, new URL(request.callback), {
    pkceCodeVerifier: request.login.verifier,
    expectedState: request.login.state,
    expectedNonce: request.login.nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  const user = await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
  const leave = openid.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: request.logout_uri,
    state: "goodbye",
  });
  return { tokens, claims, user, leave: leave.href };
}

async function refresh(request) {
  return { tokens: await openid.refreshTokenGrant(await configured(request), request.refresh_token) };
}

async function user(request) {
  return { user: await openid.fetchUserInfo(await configured(request), request.access_token, request.subject) };
}

async function introspect(request) {
  return { token: await openid.tokenIntrospection(await configured(request), request.token) };
}

async function revoke(request) {
  await openid.tokenRevocation(await configured(request), request.token);
  return {};
}

const STEPS = { begin, finish, refresh, user, introspect, revoke };
const REFUSALS = [openid.ClientError, openid.ResponseBodyError, openid.AuthorizationResponseError, openid.WWWAuthenticateChallengeError];

const request = JSON.parse(readFileSync(0, "utf8"));
try {
  console.log(JSON.stringify(await STEPS[request.do](request)));
} catch (error) {
  if (!REFUSALS.some((kind) => error instanceof kind)) throw error;
  const { code, error: oauth, status } = error;
  console.log(JSON.stringify({ refused: { code, oauth, status, message: error.message } }));
}
