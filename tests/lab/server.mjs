// The lab: a certified OAuth provider on loopback, with one API behind it, for flowrun's own tests.
//
// Refresh tokens are single use: using one twice ends the grant, as the strictest providers do.
// Answers `GET /api/contacts/{id}` to a live access token, 401 to any other. All state is in memory.
//
//   node server.mjs [ACCESS_TOKEN_SECONDS]
//
// The first line on stdout is {"issuer": ...}. From then on each line on stdin is a request and each further line
// on stdout its answer; when stdin ends, so does the lab, so that a killed test leaves nothing behind.
//
//   allow CLIENT_ID REDIRECT_URI   registers a redirect URI, compared exactly from then on
//   expiry                         answers once the newest access token is over
//   hold                           keeps back the replies of the token endpoint from now on
//   held                           answers once a reply is being kept back
//   release                        lets go of what was kept back, and keeps nothing back any more
//   forget                         the access tokens of every grant are good no more; their refresh tokens are
//   tally                          what has happened so far, in numbers

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

console.info = console.error; // the provider's notices must not mix with our answers

const accessTokenSeconds = Number(process.argv[2] ?? 3600);
const days = 24 * 3600;
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const nowhere = 'http://127.0.0.1:9/never-registered'; // a client needs one redirect URI to exist; port 9 discards

const tally = {
  codes: 0, // authorization codes exchanged
  refreshes: 0, // refresh tokens exchanged
  client_credentials: 0,
  devices: 0, // device codes exchanged
  revoked: 0, // grants that were ended
  invalid_grant: 0, // dead codes and dead refresh tokens that were tried
  other_errors: 0,
  contacts: 0, // API calls answered
  denied: 0, // API calls refused with 401
  faults: 0, // the lab's own, told on stderr
  early_refreshes: 0, // refreshes of a token that had a good quarter of its life left
};
const gate = { opens: Promise.resolve(), open: () => {}, reached: Promise.resolve(), reach: () => {} };
const newest = new Map(); // grant id -> its newest access token
const issuedAt = new Map(); // grant id -> when its newest access token was issued

const provider = await (async () => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)); // port 0: many labs run side by side
  const provider = new Provider(`http://127.0.0.1:${server.address().port}`, settings());
  provider.use(kept);
  provider.use(api);
  server.on('request', provider.callback());
  return provider;
})();

provider.on('grant.success', (ctx) => counted(ctx.oidc));
provider.on('grant.error', (_ctx, error) => (tally[error.error === 'invalid_grant' ? 'invalid_grant' : 'other_errors'] += 1));
provider.on('grant.revoked', () => (tally.revoked += 1));
provider.on('server_error', (_ctx, error) => {
  tally.faults += 1;
  console.error('lab:', error);
});

console.log(JSON.stringify({ issuer: provider.issuer }));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await answer(line)));
process.exit(0);

function settings() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    cookies: { keys: [randomBytes(16).toString('hex')] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'lab' }] },
    scopes: ['openid', 'offline_access', 'contacts', 'contacts:write'],
    clients: [
      // RFC 6749 2.3.1: a secret is form-encoded before it goes into Basic; this one shows who forgets (OA-26).
      person('basic-client', { client_secret: 's3cret basic:/+', token_endpoint_auth_method: 'client_secret_basic' }),
      person('post-client', { client_secret: 'post-secret', token_endpoint_auth_method: 'client_secret_post' }),
      person('public-client', { token_endpoint_auth_method: 'none' }),
      {
        client_id: 'machine-client',
        client_secret: 'machine-secret',
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    features: {
      devInteractions: { enabled: true }, // the login and consent pages
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: { enabled: true, getResourceServerInfo: async () => resourceServer() },
    },
    pkce: { required: () => true },
    rotateRefreshToken: () => true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      DeviceCode: 600,
      AuthorizationCode: 60,
      Grant: 14 * days,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * days,
      Session: 14 * days,
    },
    findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  };
}

// A client that acts for a person: authorization code or device code, then refresh.
function person(client_id, rest) {
  const grants = { grant_types: ['authorization_code', 'refresh_token', deviceGrant], response_types: ['code'] };
  return { client_id, application_type: 'native', redirect_uris: [nowhere], ...grants, ...rest };
}

// RFC 8707: what a token asked for with `resource` is good for.
function resourceServer() {
  return { scope: 'contacts contacts:write', accessTokenTTL: accessTokenSeconds, accessTokenFormat: 'opaque' };
}

// The protected API. Only the provider's own store says whether a token is alive.
async function api(ctx, next) {
  const id = /^\/api\/contacts\/([\w-]+)$/.exec(ctx.path)?.[1];
  if (id === undefined) return next();
  const token = /^Bearer (\S+)$/.exec(ctx.get('authorization'))?.[1] ?? '';
  const found = (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
  if (!found?.isValid) {
    tally.denied += 1;
    ctx.status = 401;
    ctx.set('www-authenticate', 'Bearer error="invalid_token"'); // RFC 6750 3.1
    ctx.body = { error: 'invalid_token' };
    return undefined;
  }
  tally.contacts += 1;
  ctx.body = { data: { id, first_name: 'Ada', last_name: 'Lovelace' } };
  return undefined;
}

// What the token endpoint has decided stands; only its reply waits at the gate.
async function kept(ctx, next) {
  await next();
  if (ctx.path !== '/token') return;
  gate.reach();
  await gate.opens;
}

function hold() {
  gate.opens = new Promise((resolve) => (gate.open = resolve));
  gate.reached = new Promise((resolve) => (gate.reach = resolve));
  return { holds: true };
}

function counted(oidc) {
  const kind = oidc.params.grant_type;
  const grant = oidc.entities.Grant?.jti;
  const age = Date.now() - (issuedAt.get(grant) ?? 0);
  issuedAt.set(grant, Date.now());
  newest.set(grant, oidc.entities.AccessToken);
  if (kind === 'authorization_code') tally.codes += 1;
  else if (kind === 'client_credentials') tally.client_credentials += 1;
  else if (kind === deviceGrant) tally.devices += 1;
  else {
    tally.refreshes += 1;
    // The provider counts whole seconds, so that a token may live for one less than it says.
    if (age < 750 * (accessTokenSeconds - 1)) tally.early_refreshes += 1;
  }
}

// The provider counts whole seconds from the one a token was issued in.
async function expiry() {
  const newest = Math.max(...issuedAt.values());
  const over = (Math.floor(newest / 1000) + accessTokenSeconds) * 1000;
  await new Promise((resolve) => setTimeout(resolve, over - Date.now()));
  return new Date(over).toISOString();
}

async function forget() {
  const tokens = [...newest.values()];
  for (const token of tokens) await token.destroy();
  return { forgotten: tokens.length };
}

async function answer(line) {
  const [verb, clientId, redirectUri] = line.trim().split(/\s+/);
  if (verb === 'tally') return tally;
  if (verb === 'expiry') return { expired: await expiry() };
  if (verb === 'hold') return hold();
  if (verb === 'held') return { held: (await gate.reached, true) };
  if (verb === 'forget') return forget();
  if (verb === 'release') return { holds: (gate.open(), false) };
  if (verb !== 'allow') return { error: `unknown request: ${verb}` };
  const client = await provider.Client.find(clientId);
  if (!client) return { error: `unknown client: ${clientId}` };
  client.redirectUris = [...client.redirectUris, redirectUri];
  return { allowed: redirectUri };
}
