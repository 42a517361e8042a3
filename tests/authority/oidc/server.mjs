// A real authorization server for tests: oidc-provider, with an unbounded store, a record of what reached it, and
// a control port from which tests read the record and script faults.
//
// What must hold: requests to the token endpoint are decided one after another, so that two uses of one refresh
// token are never both found unused. The process ends when its standard input does.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

// The provider warns about everything that is meant for development, which is all of this.
const quiet = (print) => (text, ...rest) => {
  if (!String(text).startsWith('oidc-provider ')) print(text, ...rest);
};
console.warn = quiet(console.error);
console.info = quiet(console.error);
const { Provider, errors } = await import('oidc-provider');
const { SCOPE, mcpServer } = await import('./mcp.mjs');

const settings = {
  access_ttl: 3600,
  refresh_ttl: 14 * 24 * 3600,
  code_ttl: 300,
  device_ttl: 600,
  ...JSON.parse(process.argv[2] ?? '{}'),
};

// ---- the store ----

/** Everything stored, by model; entries of one grant end together. */
class Shelf {
  static entries = new Map();
  static byGrant = new Map();
  /** Ids by model and user code or uid. */
  static aliases = new Map();

  constructor(model) {
    this.model = model;
  }

  static key(model, id) {
    return `${model} ${id}`;
  }

  async upsert(id, payload) {
    const key = Shelf.key(this.model, id);
    Shelf.entries.set(key, payload);
    for (const alias of ['uid', 'userCode']) {
      if (payload[alias]) Shelf.aliases.set(`${this.model} ${alias} ${payload[alias]}`, id);
    }
    if (payload.grantId && this.model !== 'Session' && this.model !== 'Interaction') {
      if (!Shelf.byGrant.has(payload.grantId)) Shelf.byGrant.set(payload.grantId, new Set());
      Shelf.byGrant.get(payload.grantId).add(key);
    }
  }

  async find(id) {
    return Shelf.entries.get(Shelf.key(this.model, id));
  }

  async findByUid(uid) {
    return this.find(Shelf.aliases.get(`${this.model} uid ${uid}`));
  }

  async findByUserCode(userCode) {
    return this.find(Shelf.aliases.get(`${this.model} userCode ${userCode}`));
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    const key = Shelf.key(this.model, id);
    const grant = Shelf.entries.get(key)?.grantId;
    Shelf.entries.delete(key);
    Shelf.byGrant.get(grant)?.delete(key);
  }

  async revokeByGrantId(grantId) {
    for (const key of Shelf.byGrant.get(grantId) ?? []) {
      if (key.startsWith(`${this.model} `)) Shelf.entries.delete(key);
    }
  }
}

// ---- the record, and what a test scripts ----

const record = { requests: [], registrations: [], grants_revoked: [], reuses: 0, rotations: 0, views: 0 };
const secrets = new Set();
const spent = new Set();
const script = { faults: [], latency_ms: 0, gate: null, waiting: 0 };
const SECRET_FIELDS = [
  'code', 'code_verifier', 'refresh_token', 'device_code', 'access_token', 'id_token', 'state', 'token',
];

function noteSecrets(fields) {
  for (const name of SECRET_FIELDS) {
    if (typeof fields?.[name] === 'string' && fields[name] !== '') secrets.add(fields[name]);
  }
}

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function takeFault(path) {
  const at = script.faults.findIndex((fault) => path === fault.path);
  if (at < 0) return { kind: 'pass' };
  const fault = script.faults[at];
  fault.times -= 1;
  if (fault.times <= 0) script.faults.splice(at, 1);
  return fault;
}

let turn = Promise.resolve();

/** Runs `work` after all that was queued before it. */
function inTurn(work) {
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

/** Stands in front of the endpoints that clients call without a browser. */
async function watch(ctx, next) {
  const kind = watched.get(ctx.path);
  if (!kind || ctx.method !== 'POST') {
    if (ctx.path === '/auth' && ctx.method === 'GET') record.views += 1;
    await next();
    if (ctx.path === '/reg' && settings.secret_ttl && ctx.body?.client_secret) {
      ctx.body.client_secret_expires_at = Math.floor(Date.now() / 1000) + settings.secret_ttl;
    }
    const location = ctx.response.get('location');
    if (location && URL.canParse(location)) noteSecrets(Object.fromEntries(new URL(location).searchParams));
    return;
  }
  const body = await readBody(ctx.req);
  ctx.req.body = body;
  const fields = Object.fromEntries(new URLSearchParams(body));
  noteSecrets(fields);
  const entry = {
    endpoint: kind,
    grant_type: fields.grant_type ?? null,
    at_ms: Date.now(),
    fields,
    headers: ctx.headers,
    peer_port: ctx.req.socket.remotePort,
    status: null,
    error: null,
    cut: false,
  };
  record.requests.push(entry);

  const fault = takeFault(kind);
  await pause(script.latency_ms + (fault.kind === 'delay' ? fault.ms : 0));
  if (script.gate) {
    script.waiting += 1;
    await script.gate.open;
    script.waiting -= 1;
  }
  if (fault.kind === 'close_before') return cut(ctx, entry);
  if (fault.kind === 'reply') return canned(ctx, entry, fault);

  await (kind === 'token' ? inTurn(() => decide(ctx, next, fields)) : next());
  noteSecrets(ctx.body);
  if (fault.kind === 'close_after') return cut(ctx, entry);
  if (fault.kind === 'reply_after') return canned(ctx, entry, fault);
  entry.status = ctx.status;
  entry.error = ctx.body?.error ?? null;
  return undefined;
}

async function decide(ctx, next, fields) {
  const token = fields.grant_type === 'refresh_token' ? fields.refresh_token : undefined;
  if (token && spent.has(token)) record.reuses += 1;
  await next();
  if (token && ctx.status === 200) {
    spent.add(token);
    record.rotations += 1;
  }
}

function cut(ctx, entry) {
  entry.cut = true;
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function canned(ctx, entry, fault) {
  ctx.status = fault.status;
  ctx.set(fault.headers ?? {});
  ctx.body = fault.body ?? '';
  entry.status = fault.status;
}

// ---- the provider ----

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const grant_types = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];
const client = {
  client_id: 'latchkey',
  client_name: 'Latchkey',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types,
  response_types: ['code'],
  // On loopback any port will do (RFC 8252 section 7.3).
  redirect_uris: ['http://127.0.0.1:8765/cb', 'http://127.0.0.1/callback/real'],
  id_token_signed_response_alg: 'ES256',
};
const confidential = {
  ...client,
  client_id: 'latchkey-confidential',
  client_secret: 'sesame-of-the-confidential-client',
  token_endpoint_auth_method: 'client_secret_basic',
};

secrets.add(confidential.client_secret);

const address = (server) => `http://127.0.0.1:${server.address().port}`;
const listen = (server) => new Promise((ready) => server.listen(0, '127.0.0.1', 1024, ready));
const front = createServer();
const control = createServer();
const mcp = mcpServer(settings, (token) => provider.AccessToken.find(token));
await Promise.all([listen(front), listen(control), listen(mcp)]);
settings.mcp_issuers = [address(front)];

const provider = new Provider(address(front), {
  adapter: Shelf,
  // Where only secrets are taken, clients have to be registered.
  clients: settings.client_auth ? [] : [client, confidential],
  ...(settings.client_auth ? { clientAuthMethods: [settings.client_auth] } : {}),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
  cookies: { keys: [randomBytes(24).toString('hex')] },
  scopes: ['openid', 'offline_access', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  expiresWithSession: () => false,
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, indicator) => {
        if (indicator !== `${address(mcp)}/mcp`) throw new errors.InvalidTarget();
        return {
          scope: SCOPE,
          audience: indicator,
          accessTokenFormat: 'opaque',
          accessTokenTTL: settings.access_ttl,
        };
      },
    },
    revocation: { enabled: true },
  },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: id,
      email: id.includes('@') ? id : `${id}@example.test`,
      email_verified: true,
    }),
  }),
  ttl: {
    AccessToken: () => settings.access_ttl,
    AuthorizationCode: () => settings.code_ttl,
    DeviceCode: () => settings.device_ttl,
    Grant: () => 14 * 24 * 3600,
    IdToken: () => 3600,
    Interaction: () => 3600,
    RefreshToken: () => settings.refresh_ttl,
    Session: () => 14 * 24 * 3600,
  },
});
const watched = new Map([
  ['/token', 'token'],
  ['/token/revocation', 'revocation'],
  ['/device/auth', 'device_authorization'],
]);
provider.use(watch);
provider.on('grant.revoked', (_ctx, grantId) => record.grants_revoked.push(grantId));
provider.on('registration_create.success', (_ctx, made) => {
  record.registrations.push(made.metadata());
  if (made.clientSecret) secrets.add(made.clientSecret);
});
provider.on('server_error', (_ctx, error) => console.error(error));
front.on('request', provider.callback());

// ---- the control port ----

const commands = {
  async record() {
    return record;
  },
  async secrets() {
    return [...secrets];
  },
  async settings(change) {
    return Object.assign(settings, change);
  },
  async fault(fault) {
    script.faults.push(fault);
    return { queued: script.faults.length };
  },
  async latency({ ms }) {
    script.latency_ms = ms;
    return {};
  },
  async hold() {
    if (!script.gate) {
      script.gate = {};
      script.gate.open = new Promise((open) => {
        script.gate.release = open;
      });
    }
    return {};
  },
  async waiting() {
    return { waiting: script.waiting };
  },
  async release() {
    script.gate?.release();
    script.gate = null;
    return {};
  },
  async expire({ token }) {
    const access = await provider.AccessToken.find(token);
    await access?.destroy();
    return { found: Boolean(access) };
  },
  async revoke({ token }) {
    const found = (await provider.RefreshToken.find(token)) ?? (await provider.AccessToken.find(token));
    if (!found) return { found: false };
    const models = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode'];
    await Promise.all(models.map((model) => provider[model].revokeByGrantId(found.grantId)));
    await provider.Grant.adapter.destroy(found.grantId);
    return { found: true };
  },
};

control.on('request', async (request, response) => {
  let status = 200;
  let answer;
  try {
    const command = commands[request.url.slice(1)];
    answer = command ? await command(JSON.parse((await readBody(request)) || '{}')) : { error: 'no such command' };
    if (!command) status = 404;
  } catch (error) {
    status = 500;
    answer = { error: String(error) };
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});

process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ issuer: address(front), control: address(control), mcp: `${address(mcp)}/mcp` })}\n`);
