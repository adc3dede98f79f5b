// What the lab itself promises. If these fail, no failure of flowrun against the lab means anything.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const callback = 'http://127.0.0.1:9876/oauth/callback/abc';
const verifier = 'a-verifier-of-at-least-forty-three-characters-long';

async function withLab(seconds, body) {
  const child = spawn(process.execPath, [`${here}/server.mjs`, seconds], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const ask = async (line) => (child.stdin.write(`${line}\n`), next());
  const ended = new Promise((resolve) => child.on('exit', resolve));
  try {
    await body({ issuer: (await next()).issuer, ask });
  } finally {
    child.stdin.end();
    assert.equal(await ended, 0, 'the lab ends with its stdin');
  }
}

function authorizationUrl(issuer) {
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const ours = { client_id: 'post-client', redirect_uri: callback, scope: 'openid contacts', state: 's' };
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  return `${issuer}/auth?${new URLSearchParams({ response_type: 'code', ...ours, ...pkce })}`;
}

async function authorized(issuer, ...flags) {
  const args = [`${here}/authorize.mjs`, ...flags, authorizationUrl(issuer)];
  return new URL((await promisify(execFile)(process.execPath, args)).stdout).searchParams;
}

async function token(issuer, grant) {
  const client = { client_id: 'post-client', client_secret: 'post-secret' };
  const reply = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ ...client, ...grant }) });
  return reply.json();
}

async function firstToken(issuer) {
  const code = (await authorized(issuer)).get('code');
  return token(issuer, { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier });
}

async function post(issuer, path, fields) {
  const client = { client_id: 'post-client', client_secret: 'post-secret' };
  const reply = await fetch(`${issuer}${path}`, { method: 'POST', body: new URLSearchParams({ ...client, ...fields }) });
  return [reply.status, await reply.text()];
}

const isActive = async (issuer, token) => JSON.parse((await post(issuer, '/token/introspection', { token }))[1]).active;

const refresh = (issuer, refresh_token) => token(issuer, { grant_type: 'refresh_token', refresh_token });

async function contact(issuer, access_token) {
  const reply = await fetch(`${issuer}/api/contacts/42`, { headers: { authorization: `Bearer ${access_token}` } });
  return [reply.status, (await reply.json()).data?.last_name];
}

test('a registered redirect URI gets a code that buys a token for the API', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    assert.deepEqual(await ask(`allow post-client ${callback}`), { allowed: callback });
    assert.deepEqual(await contact(issuer, (await firstToken(issuer)).access_token), [200, 'Lovelace']);
    assert.deepEqual(await contact(issuer, 'made-up'), [401, undefined]);
    const { codes, contacts, denied, faults } = await ask('tally');
    assert.deepEqual({ codes, contacts, denied, faults }, { codes: 1, contacts: 1, denied: 1, faults: 0 });
  });
});

test('a redirect URI that was never registered gets nothing', async () => {
  await withLab(60, ({ issuer }) => assert.rejects(authorized(issuer), /redirect_uri/));
});

test('saying no comes back as access_denied', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    await ask(`allow post-client ${callback}`);
    assert.equal((await authorized(issuer, '--deny')).get('error'), 'access_denied');
  });
});

test('a refresh token used twice ends the grant, and the tally shows it', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    await ask(`allow post-client ${callback}`);
    const first = await firstToken(issuer);
    const second = await refresh(issuer, first.refresh_token);
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.equal((await refresh(issuer, first.refresh_token)).error, 'invalid_grant');
    assert.deepEqual(await contact(issuer, second.access_token), [401, undefined]);
    const { refreshes, early_refreshes, invalid_grant } = await ask('tally');
    assert.deepEqual({ refreshes, early_refreshes, invalid_grant }, { refreshes: 1, early_refreshes: 1, invalid_grant: 1 });
  });
});

test('an access token is refused once its seconds are over, and a refresh then is not early', async () => {
  await withLab(2, async ({ issuer, ask }) => {
    await ask(`allow post-client ${callback}`);
    const { access_token, refresh_token } = await firstToken(issuer);
    await ask('expiry');
    assert.deepEqual(await contact(issuer, access_token), [401, undefined]);
    assert.deepEqual(await contact(issuer, (await refresh(issuer, refresh_token)).access_token), [200, 'Lovelace']);
    assert.equal((await ask('tally')).early_refreshes, 0);
  });
});

test('a device is told to wait until the person has typed its code, and then once', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    const codes = JSON.parse((await post(issuer, '/device/auth', { scope: 'openid contacts' }))[1]);
    const poll = () => token(issuer, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: codes.device_code });
    assert.equal((await poll()).error, 'authorization_pending');
    await promisify(execFile)(process.execPath, [`${here}/device.mjs`, codes.verification_uri_complete]);
    assert.deepEqual(await contact(issuer, (await poll()).access_token), [200, 'Lovelace']);
    assert.equal((await poll()).error, 'invalid_grant');
    assert.equal((await ask('tally')).devices, 1);
  });
});

test('a device whose code is denied is told so', async () => {
  await withLab(60, async ({ issuer }) => {
    const codes = JSON.parse((await post(issuer, '/device/auth', { scope: 'openid' }))[1]);
    await promisify(execFile)(process.execPath, [`${here}/device.mjs`, '--deny', codes.verification_uri_complete]);
    const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: codes.device_code };
    assert.equal((await token(issuer, poll)).error, 'access_denied');
  });
});

test('a forgotten access token is not active, and its refresh token still is', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    await ask(`allow post-client ${callback}`);
    const { access_token, refresh_token } = await firstToken(issuer);
    assert.equal(await isActive(issuer, access_token), true);
    assert.deepEqual(await ask('forget'), { forgotten: 1 });
    assert.equal(await isActive(issuer, access_token), false);
    assert.equal(await isActive(issuer, refresh_token), true);
  });
});

test('revoking a refresh token ends its grant, and nonsense is revoked too', async () => {
  await withLab(60, async ({ issuer, ask }) => {
    await ask(`allow post-client ${callback}`);
    const { access_token, refresh_token } = await firstToken(issuer);
    assert.deepEqual(await post(issuer, '/token/revocation', { token: 'nonsense' }), [200, '']);
    assert.deepEqual(await post(issuer, '/token/revocation', { token: refresh_token }), [200, '']);
    assert.equal(await isActive(issuer, refresh_token), false);
    assert.deepEqual(await contact(issuer, access_token), [401, undefined]);
    assert.equal((await refresh(issuer, refresh_token)).error, 'invalid_grant');
    assert.equal((await ask('tally')).revoked, 1);
  });
});
