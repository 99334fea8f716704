import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { apiDocs, apiFile } from '../../scripts/api-docs.ts';
import { errorTable } from '../../src/base/errors.ts';
import { messageSignatures } from '../../src/rpc/objects/message/signatures.ts';
import { type Answer, ApiRig, basic, bearer, PASSWORD, tokenSection } from './api-rig.ts';

/** What the tests look at in the document of the interface. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Content {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
interface Document {
  readonly openapi: string;
  readonly 'x-errors': object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const send = tokenSection('sender');
const other = tokenSection('other');
const reader = tokenSection('reader', "list scope 'read'");
const admin = tokenSection('boss', "list scope 'admin'");
const tokens = send.section + other.section + reader.section + admin.section;

t.test('a message is sent, followed, listed, read and deleted', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const all = bearer(admin.token);
  const sent = await rig.send(
    'POST',
    '/api/v1/messages',
    { number: '+37060000001', text: 'Žalgiris' },
    bearer(send.token),
  );
  t.match(sent, { status: 201, headers: { location: '/api/v1/messages/1', 'content-type': 'application/json' } });
  t.match(sent.json, { id: 1, state: 'queued', parts: 1, encoding: 'ucs2' });
  t.same(await rig.sent(1), [['+37060000001', 'Žalgiris']]);
  t.match((await rig.send('GET', '/api/v1/messages/1', undefined, bearer(send.token))).json, {
    source: 'token:sender',
    number: '+37060000001',
  });
  const waited = { numbers: ['+37060000002', '+37060000003'], text: 'two', wait: 30 };
  t.match((await rig.send('POST', '/api/v1/messages', waited, all)).json, {
    recipients: [
      { number: '+37060000002', id: 2, state: 'sent' },
      { number: '+37060000003', id: 3, state: 'sent' },
    ],
  });
  t.match((await rig.send('POST', '/api/v1/messages', { group: 'oncall', text: 'x' }, all)).json, {
    recipients: [{ id: 4 }, { id: 5 }],
  });
  const later = { number: '+37060000001', text: 'later', not_before: new Date(Date.now() + 3_600_000).toISOString() };
  t.match((await rig.send('POST', '/api/v1/messages', later, bearer(send.token))).json, { id: 6, state: 'queued' });
  t.match(await rig.send('POST', '/api/v1/messages/6/cancel', undefined, bearer(send.token)), {
    status: 200,
    json: { state: 'cancelled' },
  });
  const ids = ({ json: { messages } }: Answer) => (Array.isArray(messages) ? messages.map(({ id }) => id) : []);
  const first = await rig.send('GET', '/api/v1/messages?box=outbox&limit=4', undefined, all);
  t.same(ids(first), [1, 2, 3, 4]);
  const second = await rig.send('GET', `/api/v1/messages?box=outbox&cursor=${first.json['cursor']}`, undefined, all);
  t.same(ids(second), [5, 6]);
  t.equal(second.json['cursor'], undefined);
  await rig.call('sms_gateway.simulator', 'receive', { from: '+37060000009', text: 'hello' });
  const unread = () => rig.send('GET', '/api/v1/messages?state=unread', undefined, all);
  while (ids(await unread()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  t.match((await unread()).json, { messages: [{ id: 7, text: 'hello', number: '+37060000009' }] });
  t.match((await rig.send('GET', '/api/v1/messages/7', undefined, all)).json, { state: 'unread' });
  t.match((await rig.send('POST', '/api/v1/messages/7/read', undefined, all)).json, { state: 'read' });
  t.match((await rig.send('GET', '/api/v1/messages/total', undefined, all)).json, { used: 1, unread: 0 });
  t.match(await rig.send('DELETE', '/api/v1/messages/7', undefined, all), { status: 200, json: { id: 7 } });
  t.match(await rig.send('DELETE', '/api/v1/messages/7', undefined, all), {
    status: 404,
    json: { code: 'message_not_found' },
  });
  for (const [method, path, wanted] of [
    ['GET', '/status', { queue: {}, modems: [{ name: 'gsm0' }] }],
    ['GET', '/health', { healthy: true }],
    ['GET', '/version', { version: String }],
    ['GET', '/modems', { modems: [{ name: 'gsm0', state: 'ready' }] }],
    ['GET', '/modems/gsm0', { name: 'gsm0' }],
    ['GET', '/modules/post_get', { name: 'post_get', state: 'running' }],
    ['GET', '/statistics?hours=2', { hours: [{}, {}] }],
    ['POST', '/reload', { sections: [] }],
    ['POST', '/modules/post_get/restart', { state: 'running' }],
  ] as const) {
    t.match(await rig.send(method, `/api/v1${path}`, undefined, all), { status: 200, json: wanted }, path);
  }
  t.match((await rig.send('POST', '/api/v1/segments', { text: 'x'.repeat(161) }, all)).json, { parts: 2 });
  const head = await rig.send('HEAD', '/api/v1/version', undefined, all);
  t.same([head.status, head.body], [200, '']);
});

t.test('the same reference sends once, and is that of the client alone', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const message = { number: '+37060000001', text: 'once', client_ref: 'r1' };
  const post = (body: object, headers: Record<string, string>) => rig.send('POST', '/api/v1/messages', body, headers);
  t.match(await post(message, bearer(send.token)), { status: 201, json: { id: 1 } });
  t.match(await post(message, bearer(send.token)), { status: 200, json: { id: 1, duplicate: true } });
  t.match(await post(message, bearer(other.token)), { status: 201, json: { id: 2 } });
  const { client_ref, ...plain } = message;
  const key = { ...bearer(send.token), 'Idempotency-Key': `"${client_ref}"` };
  t.match(await post(plain, key), { status: 200, json: { id: 1 } }, 'the header field is the same reference');
  t.match(await post(message, key), { status: 200, json: { id: 1 } });
  t.match(await post({ ...plain, client_ref: 'r2' }, key), { status: 400, json: { code: 'invalid_argument' } });
});

t.test('who may do what', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const message = { number: '+37060000001', text: 'x' };
  await rig.send('POST', '/api/v1/messages', message, bearer(send.token));
  const none = {};
  const web = basic('admin', PASSWORD);
  const poster = basic('poster', 'its own secret');
  for (const [who, headers, method, path, status] of [
    ['nobody', none, 'GET', '/messages', 401],
    ['another scheme', { Authorization: 'Digest x' }, 'GET', '/messages', 401],
    ['a sender', bearer(send.token), 'GET', '/messages', 403],
    ['a sender', bearer(send.token), 'GET', '/messages/1', 200],
    ['another sender', bearer(other.token), 'GET', '/messages/1', 404],
    ['another sender', bearer(other.token), 'POST', '/messages/1/cancel', 404],
    ['another sender', bearer(other.token), 'GET', '/messages/99', 404],
    ['a sender', bearer(send.token), 'DELETE', '/messages/1', 403],
    ['a sender', bearer(send.token), 'GET', '/status', 403],
    ['a reader', bearer(reader.token), 'GET', '/messages/1', 200],
    ['a reader', bearer(reader.token), 'POST', '/messages', 403],
    ['a reader', bearer(reader.token), 'POST', '/messages/1/cancel', 403],
    ['a reader', bearer(reader.token), 'POST', '/modems/gsm0/restart', 403],
    ['an account of the pages', web, 'GET', '/status', 200],
    ['an account of the pages', web, 'POST', '/reload', 200],
    ['Post/Get', poster, 'GET', '/messages', 200],
    ['Post/Get', poster, 'POST', '/reload', 403],
    ['a wrong password', basic('admin', 'x'), 'GET', '/status', 401],
    ['a wrong password', basic('poster', 'x'), 'GET', '/status', 401],
    ['a page of another site', { ...web, Origin: 'http://evil.example' }, 'GET', '/status', 403],
  ] as const) {
    const answer = await rig.send(
      method,
      `/api/v1${path}`,
      path === '/messages' && method === 'POST' ? message : undefined,
      headers,
    );
    t.equal(answer.status, status, `${who}: ${method} ${path}`);
    if (status === 401) t.match(answer.headers['www-authenticate'], /^Bearer .*Basic /);
    if (status >= 400) t.match(answer.headers['content-type'], 'application/problem+json');
  }
  const login = { username: 'admin', password: PASSWORD };
  for (const [from, status] of [
    [{}, 200],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
  ] as const) {
    t.equal((await rig.send('POST', '/api/login', login, from)).status, status, 'a page cannot make a browser guess');
  }
  t.match(await rig.send('POST', '/api/v1/messages', message, poster), { status: 201, json: { id: 2 } });
  t.match((await rig.send('GET', '/api/v1/messages/2', undefined, web)).json, { source: 'cgi' });
  t.match(await rig.send('POST', '/api/v1/messages', message, web), { status: 201 });
  t.match((await rig.send('GET', '/api/v1/messages/3', undefined, web)).json, { source: 'account:admin' });
  const log = rig.log.join('\n');
  for (const secret of [send.token, PASSWORD, 'its own secret']) t.notOk(log.includes(secret), 'no secret in the log');
  rig.configure(`${tokens}\nconfig gateway 'gateway'\n\toption api '0'\n`);
  await rig.call('sms_gateway', 'reload', {});
  t.equal((await rig.send('GET', '/api/v1/version', undefined, web)).status, 404, 'switched off');
});

t.test('a token that is off, over, from elsewhere or gone; and who guesses', async (t) => {
  const off = tokenSection('off', "option enabled '0'");
  const soon = tokenSection('soon', `option expires '2090-01-31 12:00'`);
  const over = tokenSection('over', "option expires '2020-01-31 12:00'");
  const away = tokenSection('away', "list allow_from '192.0.2.0/24'");
  const rig = await ApiRig.start(t, tokens + off.section + over.section + away.section + soon.section);
  const version = (token: string) => rig.send('GET', '/api/v1/version', undefined, bearer(token));
  t.match(await version(off.token), { status: 401, json: { detail: 'token off is switched off' } });
  t.match(await version(over.token), { status: 401, json: { detail: /token over has expired on 2020-01-31 12:00/ } });
  t.match(await version(away.token), { status: 403, json: { detail: /not allowed from 127.0.0.1/ } });
  t.match(await version(soon.token), { status: 200 });
  rig.configure(off.section + send.section);
  await rig.call('sms_gateway', 'reload', {});
  t.match(await version(reader.token), { status: 401, json: { code: 'login_required', detail: 'wrong token' } });
  const guesses = [];
  for (let n = 0; n < 12; n++) guesses.push((await version(`smsgw_${'0'.repeat(8)}_${'A'.repeat(43)}`)).status);
  t.same(guesses.slice(-2), [429, 429], 'guesses are counted');
  t.match(await version(send.token), { status: 200 }, 'and a right token is still let in');
  t.match(
    await rig.send('GET', '/api/v1/version', undefined, basic('admin', PASSWORD)),
    { status: 200 },
    'as is an account',
  );
});

t.test('the daily limit of a token holds over a restart and ends with the day', async (t) => {
  const few = tokenSection('few', "option daily_limit '3'");
  const rig = await ApiRig.start(t, few.section);
  const post = (body: object) => rig.send('POST', '/api/v1/messages', body, bearer(few.token));
  const one = { number: '+37060000001', text: 'x' };
  t.match(await post({ ...one, client_ref: 'a' }), { status: 201 });
  t.match(await post({ ...one, client_ref: 'a' }), { status: 200 }, 'a repetition costs nothing');
  t.match(await post({ ...one, number: 'bad' }), { status: 400 }, 'nor does a refused one');
  t.match(await post({ numbers: ['+37060000001', '+37060000002', '+37060000003'], text: 'x' }), {
    status: 429,
    json: {
      code: 'limit_reached',
      detail:
        /token few from 127.0.0.1 has sent 1 of 3 messages of this day, no room for 3 more: room again at midnight, in /,
    },
  });
  const many = await post({ numbers: ['+37060000001', '+37060000002', '+37060000003', '+37060000004'], text: 'x' });
  t.match(many, { status: 429, json: { code: 'limit_reached', detail: /may send 3 messages a day, got 4 at once/ } });
  t.notOk('retry-after' in many.headers, 'so many never fit');
  t.match(await post({ group: 'oncall', text: 'x' }), { status: 201 });
  const spent = await post(one);
  t.match(spent, { status: 429, json: { code: 'limit_reached' } });
  const now = new Date(Date.now() + rig.ahead);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const wait = Number(spent.headers['retry-after']) * 1000;
  t.ok(Math.abs(wait - (midnight.getTime() - now.getTime())) < 60_000, 'until the day of the router ends');
  await rig.stop();
  await rig.startGateway();
  t.match(await post(one), { status: 429 });
  rig.ahead = 24 * 3_600_000;
  t.match(await post(one), { status: 201 });
});

t.test('a message that is sent again counts for the token that asks for it', async (t) => {
  const few = tokenSection('few', "option daily_limit '3'");
  const rig = await ApiRig.start(t, tokens + few.section);
  const post = (path: string, token: string, body: object = {}) =>
    rig.send('POST', `/api/v1/messages${path}`, body, bearer(token));
  const later = { number: '+37060000001', text: 'x', not_before: '2090-01-31T12:00:00Z' };
  for (const id of [1, 2]) t.match(await post('', few.token, later), { status: 201, json: { id } });
  t.match(await post('/1/retry', few.token), { status: 409 }, 'it still waits: what is refused costs nothing');
  for (const id of [1, 2]) t.match(await post(`/${id}/cancel`, few.token), { status: 200 });
  t.match(await post('/1/retry', few.token), { status: 200 });
  t.match(await post('/2/retry', few.token), {
    status: 429,
    json: { code: 'limit_reached', detail: /token few from 127.0.0.1 has sent 3 of 3 messages of this day/ },
  });
  t.match(await post('', few.token, later), { status: 429 });
  t.match(await post('/2/retry', admin.token), { status: 200 }, 'somebody else may');
});

t.test('what is refused', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const all = bearer(admin.token);
  const long = JSON.stringify({ number: '1234', text: 'x'.repeat(70_000) });
  for (const [method, path, body, status, code, detail] of [
    ['POST', '/messages', '{', 400, 'parse_error', 'the body is not JSON'],
    ['POST', '/messages', '[]', 400, 'invalid_argument', 'wanted a JSON object as the body'],
    ['POST', '/messages', {}, 400, 'invalid_argument', /argument text \(string\) is missing/],
    ['POST', '/messages', { text: 'x' }, 400, 'invalid_argument', /wanted number, numbers or group/],
    ['POST', '/messages', { number: 1234, text: 'x' }, 400, 'invalid_argument', /argument number: got a number/],
    ['POST', '/messages', { number: 'x', text: 'x' }, 400, 'invalid_number', '"x" is no phone number'],
    ['POST', '/messages', { number: '1234', text: 'x', wait: 51 }, 400, 'invalid_argument', /wanted 0 to 50/],
    ['POST', '/messages', { group: 'none', text: 'x' }, 404, 'group_not_found', /no group/],
    ['POST', '/messages', { number: '1234', text: 'x', to: 'y' }, 400, 'invalid_argument', /unknown argument "to"/],
    ['POST', '/messages', long, 413, 'too_large', /at most 65536 octets/],
    ['GET', '/messages?limit=x', undefined, 400, 'invalid_argument', /argument limit: got a string/],
    ['GET', '/messages?limit=1001', undefined, 400, 'invalid_argument', /wanted 1 to 1000/],
    ['GET', '/messages?order=up', undefined, 400, 'invalid_argument', /wanted one of oldest, newest/],
    ['GET', '/messages/x', undefined, 400, 'invalid_argument', /argument id/],
    ['GET', '/messages/%ff', undefined, 400, 'invalid_argument', /percent-encoded/],
    ['GET', '/messages/0', undefined, 400, 'invalid_argument', /argument id/],
    ['GET', '/modems/none', undefined, 404, 'modem_not_found', /no modem "none"/],
    ['GET', '/modems/__proto__', undefined, 404, 'modem_not_found', /no modem/],
    ['GET', '/nothing', undefined, 404, 'object_not_found', /openapi.json/],
    ['GET', '/', undefined, 404, 'object_not_found', /openapi.json/],
    ['PUT', '/messages', {}, 405, 'method_not_found', 'wanted the method POST or GET'],
    ['DELETE', '/status', undefined, 405, 'method_not_found', 'wanted the method GET'],
  ] as const) {
    const answer = await rig.send(method, `/api/v1${path}`, body, all);
    t.match(
      answer,
      {
        status,
        headers: { 'content-type': 'application/problem+json' },
        json: { status, code, detail, type: `/api/v1/openapi.json#/x-errors/${code}`, title: String },
      },
      `${method} ${path} ${status}`,
    );
    if (status === 405) t.match(answer.headers['allow'], /^[A-Z, ]+$/);
  }
  const latin = Buffer.from('{"number":"1234","text":"\xe9"}', 'latin1');
  const sent = await fetch(`${rig.url}/api/v1/messages`, { method: 'POST', body: latin, headers: all });
  t.match(await sent.json(), { code: 'parse_error', detail: 'the body is not UTF-8' });
  t.same((await rig.call('sms_gateway.message', 'list', { box: 'outbox' }))['messages'], [], 'nothing was sent');
});

t.test('the document of the interface', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const { status, json } = await rig.send('GET', '/api/v1/openapi.json');
  t.equal(status, 200, 'nobody has to log in for it');
  const result = await new Validator().validate(structuredClone(json));
  t.same([result.valid, result.errors], [true, undefined], 'as the schema of OpenAPI wants it');
  const document = json as unknown as Document;
  t.equal(document.openapi, '3.1.0');
  t.same(Object.keys(document['x-errors']), Object.keys(errorTable));
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  );
  t.equal(
    new Set(operations.map(({ operationId }) => operationId)).size,
    operations.length,
    'each has a name of its own',
  );
  for (const { path, method } of operations) {
    const at = `/api/v1${path.replace('{id}', '1').replace('{modem}', 'gsm0').replace('{module}', 'smpp')}`;
    t.equal((await rig.send(method.toUpperCase(), at)).status, 401, `${method} ${path} is there`);
  }
  const send = document.paths['/messages']?.['post']?.requestBody?.content['application/json']?.schema;
  t.same(Object.keys(send?.properties ?? {}), Object.keys(messageSignatures.send.args));
  t.same(send?.required, ['text']);
  t.match(send?.properties, { priority: { minimum: 0, maximum: 3 }, numbers: { type: 'array', maxItems: 250 } });
});

t.test('the table in the documentation is that of the code', async (t) => {
  const page = readFileSync(apiFile, 'utf8');
  t.equal(page, apiDocs(page), 'run: npm run docs');
});

t.test('answers have the types that the document gives', async (t) => {
  const rig = await ApiRig.start(t, tokens);
  const document = (await rig.send('GET', '/api/v1/openapi.json')).json as unknown as Document;
  const all = bearer(admin.token);
  const message = { numbers: ['+37060000001', '+37060000002'], text: 'x', client_ref: 'r', wait: 30, report: true };
  let checked = 0;
  for (const [method, path, template, body] of [
    ['POST', '/messages', '/messages', message],
    ['POST', '/messages', '/messages', { number: '1234', text: 'x', not_before: '2090-01-01T00:00:00Z' }],
    ['GET', '/messages', '/messages', undefined],
    ['GET', '/messages/1', '/messages/{id}', undefined],
    ['GET', '/messages/3', '/messages/{id}', undefined],
    ['POST', '/messages/1/read', '/messages/{id}/read', undefined],
    ['GET', '/messages/total', '/messages/total', undefined],
    ['POST', '/segments', '/segments', { text: 'x' }],
    ['GET', '/status', '/status', undefined],
    ['GET', '/health', '/health', undefined],
    ['GET', '/version', '/version', undefined],
    ['GET', '/modems', '/modems', undefined],
    ['GET', '/modems/gsm0', '/modems/{modem}', undefined],
    ['GET', '/modules/smpp', '/modules/{module}', undefined],
    ['POST', '/reload', '/reload', undefined],
  ] as const) {
    const answer = await rig.send(method, `/api/v1${path}`, body, all);
    const { responses } = document.paths[template]?.[method.toLowerCase()] ?? {};
    const schema = responses?.[answer.status]?.content['application/json']?.schema;
    for (const [name, value] of Object.entries(answer.json)) {
      const wanted = schema?.properties?.[name];
      if (wanted?.type === undefined) continue;
      checked += 1;
      const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
      t.equal(type, wanted.type, `${template} ${name}`);
      if (wanted.format === 'date-time')
        t.match(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, `${template} ${name}`);
    }
  }
  t.ok(checked > 50, `${checked} fields`);
});
