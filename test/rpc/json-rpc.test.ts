import fc from 'fast-check';
import t from 'tap';
import { GatewayError } from '../../src/base/errors.ts';
import type { Json } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import { matchesPattern, Subscriptions } from '../../src/rpc/events.ts';
import { JsonRpc, type RpcSession } from '../../src/rpc/json-rpc.ts';
import { implement, type Signatures } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';

const signatures = {
  add: {
    help: '',
    args: {
      left: { type: 'integer', required: true, range: [0, 99], help: '' },
      right: { type: 'integer', help: '' },
    },
    result: {},
  },
  echo: {
    help: '',
    args: {
      text: { type: 'string', range: [1, 5], help: '' },
      word: { type: 'string', words: ['in', 'out'], help: '' },
      flag: { type: 'boolean', help: '' },
      list: { type: 'array', help: '' },
      table: { type: 'table', help: '' },
    },
    result: {},
  },
  refuse: { help: '', args: {}, result: {} },
  crash: { help: '', args: {}, result: {} },
  busy: { help: '', args: {}, result: {} },
  blob: { help: '', args: { size: { type: 'integer', required: true, help: '' } }, result: {} },
} as const satisfies Signatures;

function setUp() {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', write: (line) => void lines.push(line) });
  const namespace = new Namespace(log);
  const running = { now: 0, most: 0 };
  namespace.add(
    implement('test.sums', signatures, {
      add: async ({ left, right = 1 }) => ({ sum: left + right }),
      echo: async (args) => ({ ...args }),
      refuse: async () => {
        throw new GatewayError('queue_full', 'the queue holds 3 messages');
      },
      crash: async () => {
        throw new Error('secret of the inside');
      },
      blob: async ({ size }) => ({ text: 'x'.repeat(size) }),
      async busy() {
        running.most = Math.max(running.most, ++running.now);
        await new Promise((resolve) => setImmediate(resolve));
        running.now--;
        return {};
      },
    }),
  );
  namespace.add({ name: 'other', methods: {} });
  const abort = new AbortController();
  const session: RpcSession = {
    caller: { transport: 'unix', signal: abort.signal },
    subscriptions: new Subscriptions(),
  };
  const rpc = new JsonRpc(namespace);
  const answer = async (text: string): Promise<Json | undefined> => {
    const answered = await rpc.answer(text, session);
    return answered === undefined ? undefined : JSON.parse(answered);
  };
  const ask = (request: Json) => answer(JSON.stringify(request));
  const call = (method: string, args: Json = {}, object = 'test.sums') =>
    ask({ jsonrpc: '2.0', id: 1, method: 'call', params: [object, method, args] });
  return { lines, namespace, running, abort, session, rpc, answer, ask, call };
}

const failure = (id: Json, code: number, word: string, ubus: number) => ({
  jsonrpc: '2.0',
  id,
  error: { code, data: { code: word, ubus } },
});
const parseError = failure(null, -32700, 'parse_error', 12);
const invalidRequest = (id: Json = null) => failure(id, -32600, 'invalid_request', 1);

t.test('patterns are those of ubus', async (t) => {
  for (const [pattern, name, fits] of [
    ['*', 'anything', true],
    ['sms.*', 'sms.sent', true],
    ['sms.*', 'modem.state', false],
    ['sms.sent', 'sms.sent', true],
    ['sms', 'sms.sent', false],
    ['s*t', 'sent', false],
    ['', 'sms.sent', false],
  ] as const) {
    t.equal(matchesPattern(pattern, name), fits, `${pattern} ${name}`);
  }
});

t.test('the envelope', async (t) => {
  const { answer } = setUp();
  const good = '{"jsonrpc":"2.0","id":1,"method":"call","params":["test.sums","add",{"left":1}]}';
  const ok = { jsonrpc: '2.0', id: 1, result: { sum: 2 } };
  for (const [text, wanted] of [
    ['', parseError],
    ['{', parseError],
    ['\ufeff{}', parseError],
    [`${'['.repeat(100_000)}`, parseError],
    ['null', invalidRequest()],
    ['""', invalidRequest()],
    ['7', invalidRequest()],
    ['[]', invalidRequest()],
    ['{}', invalidRequest()],
    [`[${'['.repeat(50_000)}${']'.repeat(50_000)}]`, [invalidRequest()]],
    ['[null]', [invalidRequest()]],
    ['[1,{}]', [invalidRequest(), invalidRequest()]],
    ['{"id":5,"method":"list"}', invalidRequest(5)],
    ['{"jsonrpc":"1.0","id":"a","method":"list"}', invalidRequest('a')],
    ['{"jsonrpc":"2.0","id":5}', invalidRequest(5)],
    ['{"jsonrpc":"2.0","id":5,"method":7}', invalidRequest(5)],
    ['{"jsonrpc":"2.0","id":5,"method":"list","params":"x"}', invalidRequest(5)],
    ['{"jsonrpc":"2.0","id":5,"method":"list","params":null}', invalidRequest(5)],
    ['{"jsonrpc":"2.0","id":{},"method":"list"}', invalidRequest()],
    ['{"jsonrpc":"2.0","id":[1],"method":"list"}', invalidRequest()],
    ['{"jsonrpc":"2.0","id":true,"method":"list"}', invalidRequest()],
    ['{"jsonrpc":"2.0","id":1e999,"method":"list"}', invalidRequest()],
    ['{"jsonrpc":"2.0","id":5,"method":"lost"}', failure(5, -32601, 'method_not_found', 3)],
    ['{"jsonrpc":"2.0","id":5,"method":"toString"}', failure(5, -32601, 'method_not_found', 3)],
    [good, ok],
    [`[${good}]`, [ok]],
    [good.replace('"id":1', '"id":"x"'), { ...ok, id: 'x' }],
    [good.replace('"id":1', '"id":null'), { ...ok, id: null }],
    [good.replace('"id":1', '"id":-0.5'), { ...ok, id: -0.5 }],
  ] as const) {
    t.match(await answer(text), wanted, text.slice(0, 80));
  }
});

t.test('notifications are carried out and not answered', async (t) => {
  const { answer, session } = setUp();
  const subscribe = '{"jsonrpc":"2.0","method":"subscribe","params":["sms.*"]}';
  t.equal(await answer(subscribe), undefined);
  t.same(session.subscriptions.patterns, ['sms.*']);
  t.equal(await answer('{"jsonrpc":"2.0","method":"lost"}'), undefined);
  t.equal(await answer('{"jsonrpc":"2.0","method":"call","params":["test.sums","crash"]}'), undefined);
  t.equal(await answer(`[${subscribe},${subscribe}]`), undefined);
  const mixed = await answer(`[${subscribe},{"jsonrpc":"2.0","id":1,"method":"list","params":["other"]}]`);
  t.same(mixed, [{ jsonrpc: '2.0', id: 1, result: { other: {} } }]);
});

t.test('batches', async (t) => {
  const { ask, running } = setUp();
  const member = (id: number) => ({ jsonrpc: '2.0', id, method: 'call', params: ['test.sums', 'busy'] });
  const ids = Array.from({ length: 50 }, (_, i) => i);
  const answers = await ask(ids.map(member));
  t.match(
    answers,
    ids.map((id) => ({ id, result: {} })),
    'answers stand in the order of the requests',
  );
  t.equal(running.most, 8, 'eight at a time');
  t.match(await ask([...ids, 50].map(member)), failure(null, -32010, 'too_large', 2));
});

t.test('answers have a size', async (t) => {
  const { ask, call } = setUp();
  const room = 1024 * 1024 - JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: '' } }).length;
  const shape = (answer: Json | undefined) => JSON.stringify(answer).replace(/x+/, 'x').slice(0, 100);
  t.match(shape(await call('blob', { size: room })), /"result"/);
  t.match(shape(await call('blob', { size: room + 1 })), /the answer would be too large/);
  const member = (id: number) => ({
    jsonrpc: '2.0',
    id,
    method: 'call',
    params: ['test.sums', 'blob', { size: 300_000 }],
  });
  const answers = await ask([1, 2, 3, 4, 5].map(member));
  const kinds = Array.isArray(answers) ? answers.map((answer) => Object.keys(answer)[2]) : [];
  t.same(kinds, ['result', 'result', 'result', 'error', 'error'], 'a batch shares the room');
});

t.test('list', async (t) => {
  const { ask } = setUp();
  const list = (...params: Json[]) => ask({ jsonrpc: '2.0', id: 1, method: 'list', params });
  const sums = {
    add: { left: 'integer', right: 'integer' },
    echo: { text: 'string', word: 'string', flag: 'boolean', list: 'array', table: 'table' },
    refuse: {},
    crash: {},
    busy: {},
    blob: { size: 'integer' },
  };
  t.same(await list(), { jsonrpc: '2.0', id: 1, result: { other: {}, 'test.sums': sums } });
  t.same(await list('test.*'), { jsonrpc: '2.0', id: 1, result: { 'test.sums': sums } });
  t.same(await list('nothing'), { jsonrpc: '2.0', id: 1, result: {} });
  t.match(await list(7), failure(1, -32602, 'invalid_argument', 2));
  t.match(await list('a', 'b'), failure(1, -32602, 'invalid_argument', 2));
});

t.test('call: arguments', async (t) => {
  const { call, ask } = setUp();
  const refused = (message: string) => ({
    error: { code: -32602, message, data: { code: 'invalid_argument', ubus: 2 } },
  });
  for (const [method, args, wanted] of [
    ['add', { left: 2, right: 3 }, { result: { sum: 5 } }],
    ['add', {}, refused('test.sums add: argument left (integer) is missing')],
    ['add', { left: '2' }, refused('test.sums add: argument left: got a string, wanted an integer')],
    ['add', { left: 1.5 }, refused('test.sums add: argument left: got a fraction, wanted an integer')],
    ['add', { left: null }, refused('test.sums add: argument left: got null, wanted an integer')],
    ['add', { left: 100 }, refused('test.sums add: argument left: got 100, wanted 0 to 99')],
    ['add', { left: -1 }, refused('test.sums add: argument left: got -1, wanted 0 to 99')],
    ['add', { left: 1, rihgt: 2 }, refused('test.sums add: unknown argument "rihgt"; known are: left, right')],
    ['refuse', { x: 1 }, refused('test.sums refuse: unknown argument "x"; known are: none')],
    ['echo', { text: 'five5', word: 'in', flag: false, list: [1], table: { a: 1 } }, { result: { text: 'five5' } }],
    ['echo', { text: '' }, refused('test.sums echo: argument text: got 0 characters, wanted 1 to 5')],
    ['echo', { text: 'sixsix' }, refused('test.sums echo: argument text: got 6 characters, wanted 1 to 5')],
    ['echo', { word: 'up' }, refused('test.sums echo: argument word: got "up", wanted one of in, out')],
    ['echo', { flag: 1 }, refused('test.sums echo: argument flag: got a number, wanted a boolean')],
    ['echo', { list: {} }, refused('test.sums echo: argument list: got a table, wanted an array')],
    ['echo', { table: [] }, refused('test.sums echo: argument table: got an array, wanted a table')],
    [
      'refuse',
      {},
      { error: { code: -32040, message: 'the queue holds 3 messages', data: { code: 'queue_full', ubus: 11 } } },
    ],
  ] as const) {
    t.match(await call(method, args), wanted, `${method} ${JSON.stringify(args)}`);
  }
  const unknown = await ask(
    JSON.parse('{"jsonrpc":"2.0","id":1,"method":"call","params":["test.sums","echo",{"__proto__":1}]}'),
  );
  t.match(unknown, refused('test.sums echo: unknown argument "__proto__"; known are: text, word, flag, list, table'));
  for (const params of [
    [],
    ['test.sums'],
    ['test.sums', 7],
    [1, 'add'],
    ['test.sums', 'add', []],
    ['a', 'b', {}, 4],
    { object: 'a' },
  ]) {
    t.match(await ask({ jsonrpc: '2.0', id: 1, method: 'call', params }), failure(1, -32602, 'invalid_argument', 2));
  }
});

t.test('call: unknown names', async (t) => {
  const { call } = setUp();
  t.match(await call('add', {}, 'sums'), {
    error: {
      code: -32000,
      message: 'no object "sums"; there are: other, test.sums',
      data: { code: 'object_not_found', ubus: 4 },
    },
  });
  t.match(await call('sub'), {
    error: {
      message: 'test.sums has no method "sub"; it has: add, echo, refuse, crash, busy, blob',
      data: { ubus: 3 },
    },
  });
  t.match(await call('constructor'), failure(1, -32601, 'method_not_found', 3));
  t.match(await call('x'.repeat(100_000)), { error: { message: /^.{0,200}$/ } }, 'a long name is not repeated in full');
});

t.test('what nobody foresaw stays inside', async (t) => {
  const { call, lines, abort } = setUp();
  t.match(await call('crash'), {
    error: { code: -32603, message: 'internal error, see the log', data: { code: 'internal' } },
  });
  t.same(lines, ['error test.sums crash failed: secret of the inside\n']);
  abort.abort();
  t.match(await call('crash'), failure(1, -32050, 'stopping', 10), 'after the caller has gone it is no fault');
  t.equal(lines.length, 1);
});

t.test('subscriptions', async (t) => {
  const { ask, session } = setUp();
  const request = (method: string, params: Json) => ask({ jsonrpc: '2.0', id: 1, method, params });
  t.match(await request('subscribe', ['sms.*']), { result: { patterns: ['sms.*'] } });
  t.match(await request('subscribe', ['modem.state']), { result: { patterns: ['sms.*', 'modem.state'] } });
  t.ok(session.subscriptions.covers('sms.sent'));
  t.ok(session.subscriptions.covers('modem.state'));
  t.notOk(session.subscriptions.covers('modem.states'));
  t.match(await request('unsubscribe', ['sms.*']), { result: { patterns: ['modem.state'] } });
  t.match(await request('unsubscribe', []), { result: { patterns: [] } });
  for (const params of [[], [''], [7], ['x'.repeat(65)], ['a', 'b']]) {
    t.match(await request('subscribe', params), failure(1, -32602, 'invalid_argument', 2));
  }
  for (let i = 0; i < 16; i++) await request('subscribe', [`event.${i}`]);
  t.match(await request('subscribe', ['event.0']), { result: {} }, 'a known pattern is no further one');
  t.match(await request('subscribe', ['one.more']), failure(1, -32011, 'too_many', 6));
});

t.test('any text: answered with well-formed responses, or a notification', async () => {
  const { answer } = setUp();
  const word = fc.constantFrom('2.0', 'list', 'call', 'subscribe', 'test.sums', 'add', 'crash');
  const json = fc.jsonValue({ maxDepth: 4 });
  const request = fc.record(
    {
      jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, json),
      id: fc.oneof(fc.integer(), fc.string(), json),
      method: fc.oneof({ weight: 5, arbitrary: word }, json),
      params: fc.oneof(fc.array(fc.oneof(word, json), { maxLength: 4 }), json),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.oneof(request, fc.array(fc.oneof(request, json), { maxLength: 55 })).map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(text, async (input) => {
      const output = await answer(input);
      if (output === undefined) return JSON.parse(input).id === undefined;
      const responses = Array.isArray(output) ? output : [output];
      return responses.every((r) => r.jsonrpc === '2.0' && 'id' in r && 'result' in r !== 'error' in r);
    }),
    { numRuns: 500 },
  );
});
