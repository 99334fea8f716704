import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { findToken } from '../../src/access/tokens.ts';
import { WebAccounts } from '../../src/access/web-accounts.ts';
import { Bus } from '../../src/base/bus.ts';
import { systemClock } from '../../src/base/clock.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import { version } from '../../src/base/version.ts';
import { runCommandLine } from '../../src/cli/cli.ts';
import { runningFindings, warningFinding } from '../../src/cli/doctor/running.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { EventFeed, type GatewayEvents } from '../../src/rpc/events.ts';
import { type ArgumentsOf, implement } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { gatewaySignatures } from '../../src/rpc/objects/gateway.ts';
import { messageSignatures } from '../../src/rpc/objects/message/signatures.ts';
import { modemSignatures } from '../../src/rpc/objects/modem.ts';
import { UnixSocketServer } from '../../src/rpc/socket/server.ts';
import { routerLacks } from '../../src/system/router.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

process.env['TZ'] = 'UTC';

const evil = 'a\u001b[31m\u009b\u202e\r\nb\u2028';
const evilShown = 'a\\u001b[31m\\u009b\\u202e⏎b\\u2028';

const incoming: JsonObject = {
  id: 7,
  index: 0,
  box: 'inbox',
  number: '+37060000001',
  text: evil,
  time: '2026-01-31T12:00:00.000Z',
  state: 'unread',
  modem: 'gsm0',
  parts: 1,
  encoding: 'ucs2',
};
const outgoing: JsonObject = {
  id: 12,
  box: 'outbox',
  number: '1234',
  text: 'hi',
  time: '2026-01-31T12:00:01.000Z',
  state: 'failed',
  parts: 1,
  encoding: 'gsm7',
  error: 'no credit',
};
const faults: JsonObject[] = [
  {
    severity: 'error',
    file: '/etc/config/sms_gateway',
    line: 3,
    section: 'smpp',
    option: 'port',
    message: 'wanted 1 to 65535',
  },
  { severity: 'warning', file: '/etc/config/sms_gateway', message: 'odd' },
];

/** A gateway with prepared answers, behind a real socket. */
async function setUp(t: Test) {
  const log = createLogger({ level: 'error', write: () => {} });
  const namespace = new Namespace(log);
  const calls: (readonly [string, JsonObject])[] = [];
  const next: { config?: string; send: JsonObject; faults: JsonObject[]; modems: JsonObject[]; health: JsonObject } = {
    send: { id: 12, state: 'queued', parts: 1, encoding: 'gsm7' },
    faults: [],
    health: { healthy: true, problems: [] },
    modems: [{ name: 'gsm0', state: 'ready', signal: -71, operator: 'Bitė', device: '/dev/ttyUSB2' }],
  };
  const answering = (method: string, answer: () => JsonObject) => {
    return async (args: JsonObject) => {
      calls.push([method, args]);
      return answer();
    };
  };
  const notFound = (): JsonObject => {
    throw new GatewayError('message_not_found', 'no message 99');
  };
  namespace.add(
    implement('sms_gateway.message', messageSignatures, {
      send: answering('send', () => next.send),
      list: answering('list', () => ({ messages: [incoming, outgoing], cursor: '12' })),
      read: answering('read', () => incoming),
      delete: async ({ id }: ArgumentsOf<typeof messageSignatures.delete>) => (id === 99 ? notFound() : { id }),
      total: answering('total', () => ({ used: 3, total: 1000, unread: 1 })),
      status: answering('status', notFound),
      cancel: answering('cancel', notFound),
      retry: answering('retry', notFound),
      statistics: answering('statistics', () => ({ hours: [] })),
      segments: answering('segments', notFound),
    }),
  );
  namespace.add(
    implement('sms_gateway.modem', modemSignatures, {
      list: answering('list', () => ({ modems: next.modems })),
      status: answering('status', () => ({
        name: 'gsm0',
        since: '2026-01-31T12:00:00.000Z',
        signal: -71,
        storage: { name: 'SM', used: 3, total: 20 },
        recovery: { step: 'reset', in: 30 },
        ports: [{ path: '/dev/a', open: true }, { path: '/dev/b' }],
        bands: ['b1', 'b3'],
        details: { links: { a: { since: '2026-01-31T12:00:00.000Z', queue_length: 0 } }, none: [], empty: {} },
      })),
      at: answering('at', () => ({ lines: ['+CSQ: 20,99'], result: 'OK' })),
      ussd: answering('ussd', () => ({ answer: 'Balance:\n1.20 \u001b EUR' })),
      restart: answering('restart', () => ({})),
    }),
  );
  namespace.add(
    implement('sms_gateway', gatewaySignatures, {
      status: answering('status', () => ({
        version: '1.2.3',
        uptime: 3_725,
        modems: next.modems,
        modules: [{ name: 'post_get', state: 'running', since: '2026-01-31T12:00:00.000Z', pending: 0 }],
        queue: { queued: 1, sent: 20, failed: 0, expired: 2, cancelled: 3 },
        oldest: { id: 12, number: '1234', time: '2026-01-31T12:00:01.000Z', error: 'no modem is ready' },
        store: {
          inbox: { used: 3, total: 1000, unread: 1, passing: 0 },
          journal: { size: 0, error: 'disk\nfull' },
        },
        ...(next.config !== undefined && { files: { config: next.config } }),
        doors: { cgi: { locked_out: 2 }, smpp: { locked_out: 0 } },
        config_errors: faults,
      })),
      metrics: answering('metrics', () => ({ text: 'a 1\n' })),
      health: answering('health', () => next.health),
      describe: answering('describe', () => ({})),
      reload: answering('reload', () => ({ sections: ['smpp', 'pop3'], config_errors: next.faults })),
      version: answering('version', () => ({ version: '1.2.3' })),
    }),
  );
  const directory = mkdtempSync(join(tmpdir(), 'smsgw-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'rpc.sock');
  const bus = new Bus<GatewayEvents>(log);
  const events = new EventFeed(bus);
  const server = new UnixSocketServer({ path, mode: 0o600, namespace, events, clock: systemClock, log });
  await server.start();
  t.teardown(() => server.stop());

  /** What all command lines have written to stdout. */
  const printed: string[] = [];

  /** Runs a command line in this process. */
  async function smsgw(line: string | readonly string[], input = '', isTTY = false) {
    async function* read() {
      yield Buffer.from(input, 'latin1');
    }
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCommandLine(typeof line === 'string' ? line.split(' ') : line, {
      stdin: Object.assign(read(), { isTTY }),
      stdout: {
        write: (text) => {
          printed.push(text);
          out.push(text);
        },
      },
      stderr: { write: (text) => err.push(text) },
      env: { SMSGW_SOCKET: path },
    });
    return { code, out: out.join(''), err: err.join('') };
  }
  return { smsgw, calls, next, bus, server, path, directory, printed };
}

t.test('send', async (t) => {
  const { smsgw, calls, next } = await setUp(t);
  const sent = { code: 0, out: '12 queued, 1 part gsm7\n', err: '' };
  for (const [line, args, input] of [
    ['send +37060000001 hello there', { number: '+37060000001', text: 'hello there' }],
    ['send @friends hi', { group: 'friends', text: 'hi' }],
    ['send 1234 -', { number: '1234', text: 'from\nstdin' }, 'from\nstdin\n'],
    ['send 1234', { number: '1234', text: 'ąž\n' }, Buffer.from('ąž\n\r\n').toString('latin1')],
    ['send 1234 - -', { number: '1234', text: '- -' }],
    ['send --flash --report 1234 -- -5 degrees', { number: '1234', text: '-5 degrees', flash: true, report: true }],
    [
      'send --modem gsm0 --priority 3 --validity 60 --wait 0 --ref a1 1234 x',
      { number: '1234', text: 'x', modem: 'gsm0', priority: 3, validity: 60, wait: 0, client_ref: 'a1' },
    ],
  ] as const) {
    const { code, out, err } = await smsgw(line, input);
    if (line.includes('--wait')) t.same({ code, out, err }, { ...sent, code: 75 }, 'still queued after the wait');
    else t.same({ code, out, err }, sent);
    t.same(calls.pop(), ['send', args], line);
  }
  t.match(await smsgw('send 1234', 'typed', true), { code: 0, err: /^Type the text/ });
  t.same(calls.pop(), ['send', { number: '1234', text: 'typed' }]);
  t.match(await smsgw('send 1234 x', '', true), { code: 0, err: '' });
  t.same(calls.pop(), ['send', { number: '1234', text: 'x' }]);
  t.match(await smsgw('send 1234'), { code: 64, err: /the text is missing/ });
  t.match(await smsgw('send 1234', '\xff'), { code: 65, err: 'smsgw: the text is not UTF-8\n' });
  t.match(await smsgw('send 1234', 'x'.repeat(300_000)), { code: 65, err: /at most 262144 octets/ });
  t.match(await smsgw('send --priority high 1234 x'), { code: 64, err: /--priority: got "high", wanted a number/ });
  t.match(await smsgw('send --priority 4 1234 x'), { code: 64, err: /argument priority: got 4, wanted 0 to 3/ });
  t.same(calls, [], 'nothing was sent');

  next.send = {
    id: 12,
    state: 'queued',
    parts: 1,
    encoding: 'gsm7',
    duplicate: true,
    warning: 'no modem is configured',
  };
  t.same(await smsgw('send 1234 x'), {
    code: 0,
    out: '12 queued, 1 part gsm7 (sent before with this reference)\n',
    err: 'Warning: no modem is configured\n',
  });
  calls.length = 0;
  next.send = { id: 12, state: 'failed', parts: 2, encoding: 'ucs2', error: 'no credit' };
  t.same(await smsgw('send 1234 x'), { code: 0, out: '12 failed, 2 parts ucs2: no credit\n', err: '' });
  t.match(await smsgw('send --wait 5 1234 x'), { code: 70 }, 'who waits learns how it went');
  t.match(await smsgw('--json send 1234 x'), { code: 0, out: `${JSON.stringify(next.send)}\n` });
  const recipients = [
    { number: '+37060000001', id: 12, state: 'sent' },
    { number: 'junk', state: 'failed', error: '"junk" is no phone number', code: 'invalid_number' },
  ];
  next.send = { id: 12, state: 'sent', parts: 1, encoding: 'gsm7', recipients };
  t.same(await smsgw('send @friends x'), {
    code: 65,
    out: 'ID  NUMBER        STATE\n12  +37060000001  sent\n-   junk          failed  "junk" is no phone number\n',
    err: '',
  });
});

t.test('list, read, delete, total', async (t) => {
  const { smsgw, calls } = await setUp(t);
  t.same(await smsgw('list'), {
    code: 0,
    out: `ID  BOX  STATE   TIME                 NUMBER        ERROR      TEXT
7   in   unread  2026-01-31 12:00:00  +37060000001             ${evilShown}
12  out  failed  2026-01-31 12:00:01  1234          no credit  hi
`,
    err: 'There are more: --cursor 12\n',
  });
  await smsgw('list --box inbox --state unread --number 1 --text x --since 2026-01-31 --limit 5 --cursor 7');
  const filter = {
    box: 'inbox',
    state: 'unread',
    number: '1',
    text: 'x',
    since: '2026-01-31T00:00:00.000Z',
    limit: 5,
    cursor: '7',
  };
  t.same(calls.pop(), ['list', filter]);
  t.match(await smsgw('list --last 5'), { code: 0, out: /^ID .*\n12 .*\n7 /, err: '' }, 'the newest stands last');
  t.same(calls.pop(), ['list', { limit: 5, order: 'newest' }]);
  t.match(await smsgw('list --last 5 --limit 2'), { code: 64, err: /exclude each other/ });
  await smsgw(['list', '--since', '2026-01-31 12:30']);
  t.same(calls.pop(), ['list', { since: '2026-01-31T12:30:00.000Z' }]);
  await smsgw('list --since 2026-01-31T12:30:00+02:00');
  t.same(calls.pop(), ['list', { since: '2026-01-31T10:30:00.000Z' }]);
  t.match(await smsgw('list --since yesterday'), { code: 64, err: /wanted a time such as/ });
  const json = await smsgw('list --json');
  t.same(JSON.parse(json.out), { messages: [incoming, outgoing], cursor: '12' });
  t.notMatch(json.out.trimEnd(), /[\p{Cc}\u2028\u202e]/u, 'JSON may go to a terminal as well');
  t.equal(json.err, '');

  t.same(await smsgw('read 7'), {
    code: 0,
    out: `From:   +37060000001
Time:   2026-01-31 12:00:00
State:  unread
Modem:  gsm0
Parts:  1

a\\u001b[31m\\u009b\\u202e
b\\u2028
`,
    err: '',
  });
  t.same(calls.pop(), ['read', { id: 7, mark: true }]);
  await smsgw('read --keep-unread 7');
  t.same(calls.pop(), ['read', { id: 7, mark: false }]);
  t.match(await smsgw('read x'), { code: 64, err: /ID: got "x", wanted a number/ });

  t.same(await smsgw('delete 7 99 8'), { code: 66, out: '7 deleted\n', err: 'smsgw: no message 99\n' });
  t.same(await smsgw('--json delete 99'), {
    code: 66,
    out: '',
    err: '{"error":{"code":"message_not_found","message":"no message 99"}}\n',
  });
  t.match(await smsgw('delete'), { code: 64, err: /wanted IDs, or one of/ });
  t.match(await smsgw('delete --all 7'), { code: 64, err: /wanted IDs, or one of/ });
  t.match(await smsgw('cancel 99'), { code: 66, err: 'smsgw: no message 99\n' });
  t.match(await smsgw('retry 99'), { code: 66, err: 'smsgw: no message 99\n' });
  t.same(await smsgw('total'), { code: 0, out: '3 of 1000 messages, 1 unread\n', err: '' });
  t.same(await smsgw('total --json'), { code: 0, out: '{"used":3,"total":1000,"unread":1}\n', err: '' });
});

t.test('modems, ussd, status, reload, call', async (t) => {
  const { smsgw, calls, next } = await setUp(t);
  const modemLines =
    'MODEM  STATE  SIGNAL   OPERATOR  DEVICE        ERROR\ngsm0   ready  -71 dBm  Bitė      /dev/ttyUSB2\n';
  t.same(await smsgw('modems'), { code: 0, out: modemLines, err: '' });
  t.same(await smsgw('at AT+CSQ'), { code: 0, out: '+CSQ: 20,99\nOK\n', err: '' });
  t.same(calls.pop(), ['at', { modem: 'gsm0', command: 'AT+CSQ' }]);
  t.same(await smsgw('ussd *100#'), { code: 0, out: 'Balance:\n1.20 \\u001b EUR\n', err: '' });
  t.same(calls.pop(), ['ussd', { modem: 'gsm0', code: '*100#' }]);
  next.modems = [{ name: 'gsm0' }, { name: 'gsm1' }];
  t.match(await smsgw('ussd *100#'), { code: 64, err: /which modem\? --modem gsm0\|gsm1/ });
  t.match(await smsgw('ussd --modem gsm1 *100#'), { code: 0 });
  t.same(calls.pop(), ['ussd', { modem: 'gsm1', code: '*100#' }]);
  next.modems = [];
  t.match(await smsgw('ussd *100#'), { code: 66, err: /there is no modem/ });

  t.same((await smsgw('status')).out.split('\n\n'), [
    'sms_gateway 1.2.3, up 1 h 2 min',
    'No modems.',
    'MODULE    STATE    SINCE                PENDING  ERROR\npost_get  running  2026-01-31 12:00:00  0',
    'QUEUE\nqueued     1\nsent       20\nexpired    2\ncancelled  3',
    'Waits longest: message 12 to 1234, since 2026-01-31 12:00:01: no modem is ready',
    'STORE\ninbox    3 of 1000, unread 1\njournal  error disk\\u000afull',
    'Locked out: 2 addresses at Post/Get. The log says whom, and for how long.',
    '/etc/config/sms_gateway:3: error: smpp.port: wanted 1 to 65535\n/etc/config/sms_gateway: warning: odd\n',
  ]);
  const figures = '| queued=1 sending=0 failed=2\n';
  t.same(await smsgw('status --check'), { code: 1, out: `SMS WARNING - 1 error in the config ${figures}`, err: '' });
  next.health = { healthy: true, problems: ['pop3: no|login'] };
  t.match(await smsgw('status --check'), { code: 1, out: /^SMS WARNING - pop3: no\/login; 1 error in the config \|/ });
  next.health = { healthy: false, problems: ['no modem is configured'] };
  t.match(await smsgw('status --check'), { code: 2, out: /^SMS CRITICAL - no modem is configured; / });
  t.match(await smsgw('--socket /nowhere status --check'), { code: 3, out: /^SMS UNKNOWN - cannot reach the gateway/ });
  t.same(await smsgw('metrics'), { code: 0, out: 'a 1\n', err: '' });
  next.modems = [{ name: 'gsm0' }];
  t.same((await smsgw('modem status')).out.split('\n'), [
    'name:             gsm0',
    'since:            2026-01-31 12:00:00',
    'signal:           -71 dBm',
    'storage:          3 of 20, name SM',
    'recovery:         step reset, in 30 s',
    'ports 1:          path /dev/a, open yes',
    'ports 2:          path /dev/b',
    'bands:            b1, b3',
    'details links a:  since 2026-01-31 12:00:00, queue length 0',
    'details none:     none',
    '',
  ]);
  t.match(
    JSON.parse((await smsgw('modem status --json')).out),
    { signal: -71, recovery: { in: 30 } },
    'bare for scripts',
  );
  t.match(await smsgw('modem restart'), { code: 0, out: /^gsm0/ });
  t.match(await smsgw('module test pop3'), { code: 64, err: /no object/ }, 'what the gateway says');
  t.same(await smsgw('reload'), { code: 0, out: 'Changed: smpp, pop3\n', err: '' });
  next.faults = faults.slice(1);
  t.match(await smsgw('reload'), { code: 0, out: /warning: odd/ });
  next.faults = faults;
  t.match(await smsgw('reload'), { code: 78, out: /error: smpp.port/ });

  t.same(await smsgw(['call', 'sms_gateway', 'version']), { code: 0, out: '{\n  "version": "1.2.3"\n}\n', err: '' });
  t.match(await smsgw(['call', 'sms_gateway.message', 'read', '{"id":7}']), { code: 0, out: /a\\u001b\[31m\\u009b/ });
  t.match(await smsgw(['call', 'sms_gateway.message', 'read', '{"id":"7"}']), { code: 64, err: /wanted an integer/ });
  t.match(await smsgw(['call', 'x', 'y']), { code: 64, err: /no object "x"/ });
  t.match(await smsgw(['call', 'x', 'y', '[]']), { code: 64, err: /wanted one table/ });
  t.match(await smsgw(['call', 'x', 'y', '{']), { code: 64, err: /wanted one table/ });
});

t.test('listen', async (t) => {
  const { smsgw, bus, server, printed } = await setUp(t);
  const listening = Promise.all([smsgw('listen'), smsgw('listen sms.* modem.state'), smsgw('listen --json config.*')]);
  await until(() => server.usage()['subscribers'] === 3, 'all listen');
  bus.emit('config.changed', { sections: ['smpp'] });
  await until(() => printed.filter((text) => text.includes('config.changed')).length === 2, 'two print it');
  await server.stop();
  const [all, some, json] = await listening;
  t.match(await smsgw('listen sms.recieved'), {
    code: 64,
    err: /no event "sms.recieved", did you mean sms.received\?/,
  });
  t.match(await smsgw('listen sms.recieved*'), { code: 64, err: /no event/ });
  t.match(all, { code: 69, err: /the gateway closed the connection/ });
  t.match(all.out, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}config\.changed {2}\["smpp"\]\n/);
  t.equal(some.out, '');
  t.same(JSON.parse(json.out.split('\n')[0] ?? ''), { event: 'config.changed', payload: { sections: ['smpp'] } });
});

t.test('usage errors and help', async (t) => {
  const { smsgw, calls } = await setUp(t);
  for (const [line, err] of [
    [[], /a command is missing/],
    [['lst'], /no command "lst", did you mean list\?/],
    [['lst\u001b'], /no command "lst\\\\u001b"|no command "lst\\u001b"/],
    [['config', 'chek'], /no command "config", did you mean config check\?/],
    [['list', '--bok', 'x'], /no option --bok, did you mean --box\?/],
    [['list', 'x'], /unexpected argument "x"/],
    [['list', '--box'], /--box/],
    [['read'], /an argument is missing: smsgw read \[--keep-unread\] ID/],
    [['completion'], /an argument is missing: smsgw completion bash/],
    [['token'], /"token" is no command, there is: token create, token list, token remove/],
    [['help', 'token', 'forget'], /no command|is no command/],
    [['help', 'lst'], /did you mean list/],
    [['--verbose', 'list'], /--verbose/],
    [['--socket'], /--socket/],
    [['--socket', '', 'total'], /--socket, or else SMSGW_SOCKET, wants a path, got nothing/],
  ] as const) {
    t.match(await smsgw(line), { code: 64, out: '', err }, line.join(' '));
  }
  for (const [line, message] of [
    [['--json', 'lst'], /^no command "lst"/],
    [['list', '--json', '--bok', 'x'], /^no option --bok/],
    [['send', '+37060000001', 'x', '--json', '--wait', '-1'], /^--wait: got no value; .*--wait=-1$/],
    [['send', '+37060000001', 'x', '--json', '--at', '2027-02-30 12:00'], /^--at: got "2027-02-30 12:00", wanted/],
  ] as const) {
    const { code, out, err } = await smsgw(line);
    t.match({ code, out, ...JSON.parse(err) }, { code: 64, out: '', error: { code: 'invalid_argument', message } });
  }
  t.match(await smsgw(['list', '--', '--json']), { code: 64, err: /^smsgw: unexpected argument/ });
  t.same(calls, []);
  const help = await smsgw('--help');
  t.equal(help.code, 0);
  const names = [
    'send',
    'list',
    'read',
    'delete',
    'total',
    'status',
    'doctor',
    'modems',
    'listen',
    'ussd',
    'call',
    'reload',
    'config check',
    'config get',
    'config set',
    'passwd',
    'otp secret',
    'token create',
    'token list',
    'token remove',
    'completion',
    'export',
    'import',
    'modem status',
    'module status',
  ];
  for (const name of names) {
    t.match(help.out, `\n  ${name} `);
    const { code, out, err } = await smsgw(`${name} --help`);
    t.same([code, err], [0, '']);
    t.match(out, `Usage: smsgw ${name}`);
    for (const line of out.split('\n')) t.ok(line.length <= 120, line);
  }
  t.same(await smsgw('-h'), help);
  t.same(await smsgw('help total'), await smsgw('total --help'));
  t.same(await smsgw('help config check'), await smsgw('config check --help'));
  t.same(await smsgw('help'), help);
  t.same(await smsgw('help help'), help);
  t.match(help.out, /\n {2}help +Print this help/);
  for (const before of ['--socket /nowhere', '--socket=/nowhere --json', '--utc']) {
    t.same(await smsgw(`${before} help`), help, before);
    t.same(await smsgw(`${before} help config check`), await smsgw('config check --help'), before);
  }
  t.same(await smsgw('help --json total'), await smsgw('total --help'));
  for (const [word, named] of [
    ['otp', /\n {2}otp secret +\S.*\n/],
    ['token', /\n {2}token create .*\n {2}token list .*\n {2}token remove /],
    ['modem', /\n {2}modem status .*\n {2}modem restart /],
  ] as const) {
    const { code, out } = await smsgw(`help ${word}`);
    t.equal(code, 0);
    t.match(out, named);
    t.notMatch(out, '  send ', 'only these');
    t.same(await smsgw(`${word} --help`), { code, out, err: '' });
  }
  t.same(await smsgw('total -h'), await smsgw('total --help'));
  t.same(await smsgw('--version'), { code: 0, out: `${version}\n`, err: '' });
});

t.test('a gateway without a place for the connection is asked again for a while', async (t) => {
  const { smsgw, directory } = await setUp(t);
  const path = join(directory, 'full.sock');
  const noPlace =
    '{"jsonrpc":"2.0","id":null,"error":{"message":"full","data":{"code":"too_many","retry_after":0.8}}}\n';
  const taken = noPlace.replace('null', '1');
  const right = '{"jsonrpc":"2.0","id":1,"result":{"used":1,"total":10,"unread":0}}\n';
  for (const [answers, wanted, connections] of [
    [[noPlace, noPlace, right], { code: 0, out: /1 of 10/ }, 3],
    [[noPlace], { code: 75, err: 'smsgw: full\n' }, 4],
    [[taken], { code: 75, err: 'smsgw: full\n' }, 1],
  ] as const) {
    let count = 0;
    const server = createServer((socket) => {
      socket.resume().end(answers[Math.min(count++, answers.length - 1)] ?? '');
    });
    await once(server.listen(path), 'listening');
    t.match(await smsgw(`--socket ${path} total`), wanted);
    t.equal(count, connections);
    await new Promise((resolve) => server.close(resolve));
  }
});

t.test('no gateway, or another server, at the socket', async (t) => {
  const { smsgw, directory } = await setUp(t);
  t.match(await smsgw(`--socket ${directory}/none total`), {
    code: 69,
    err: /cannot reach the gateway: .*is it running\?/,
  });
  t.match(await smsgw(`--socket=${directory}/none --json total`), {
    code: 69,
    err: /^\{"error":\{"code":"connection_failed"/,
  });
  for (const [answer, wanted] of [
    ['hello\n', { code: 65, err: /no JSON object/ }],
    ['\xff\n', { code: 65, err: /no JSON object/ }],
    ['[]\n', { code: 65, err: /no JSON object/ }],
    ['', { code: 69, err: /closed the connection/ }],
    ['{"id":1,', { code: 69, err: /closed the connection/ }],
    ['{"id":1,"result":7}\n', { code: 70, err: /something else than a table/ }],
    ['{"id":1,"error":{"message":"x\\u001b","data":{"code":"toString"}}}\n', { code: 70, err: 'smsgw: x\\u001b\n' }],
    ['{"id":null,"error":{"message":"full","data":{"code":"too_many"}}}\n', { code: 75, err: 'smsgw: full\n' }],
    [`{"id":9}\n{"method":"event"}\n{"id":1,"result":{"used":"${'x'.repeat(2_000_000)}"}}\n`, { code: 0 }],
  ] as const) {
    const server = createServer((socket) => socket.resume().end(Buffer.from(answer, 'latin1')));
    const path = join(directory, 'odd.sock');
    await once(server.listen(path), 'listening');
    t.match(await smsgw(`--socket ${path} total`), wanted, answer.slice(0, 60));
    await new Promise((resolve) => server.close(resolve));
  }
});

t.test('config check', async (t) => {
  const { smsgw } = await setUp(t);
  const directory = testFolder(t, {
    empty: {},
    good: { sms_gateway: "config post_get 'post_get'\n\toption enabled '1'\n" },
  });
  t.match(await smsgw(`config check --config-dir ${directory}/empty`), {
    code: 66,
    err: /there is no file .*empty\/sms_gateway/,
  });
  const good = await smsgw(`config check --config-dir ${directory}/good --json`);
  t.equal(good.code, 0);
  t.ok(Array.isArray(JSON.parse(good.out).config_errors));
  writeFileSync(`${directory}/good/sms_gateway`, "config modem 'm'\n\toption baudrate 'fast'\n");
  t.match(await smsgw(`config check --config-dir ${directory}/good`), {
    code: 78,
    out: /sms_gateway:2: error: m\.baudrate: /,
  });
  t.match(await smsgw(`config check ${directory}/good/sms_gateway`), { code: 78 }, 'a file by its path');
  writeFileSync(`${directory}/good/new`, "config modem 'm'\n\toption device '/dev/nowhere'\n\toption baudrat '1'\n");
  t.match(await smsgw(`config check ${directory}/good/new`), {
    code: 0,
    out: /m\.baudrat: unknown option, did you mean baudrate\?[\s\S]*warning: m\.device: \/dev\/nowhere does not exist/,
  });
  writeFileSync(`${directory}/good/new`, "config modem 'm'\noption baudrate 'x'\nconfig x 'smpp'\noption port 'x'\n");
  const faulty = await smsgw(`config check ${directory}/good/new`);
  t.match(faulty, { code: 78, out: /new:2: error: m\.baudrate: .*\n.*new:4: error: smpp\.port: / }, 'by their lines');
  t.notMatch(faulty.out, 'no modem', 'the section with the fault is one');
  writeFileSync(`${directory}/good/new`, "config x 'forwarding_to_htp'\nconfig modm 'a'\n");
  t.match(await smsgw(`config check ${directory}/good/new`), {
    code: 0,
    out: /did you mean the name forwarding_to_http\?[\s\S]*type modm, did you mean modem\?[\s\S]*warning: no modem is configured/,
  });
  const script = `${directory}/good/job`;
  writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
  chmodSync(script, 0o757);
  writeFileSync(`${directory}/good/new`, `config command 'c'\n\toption name 'job'\n\tlist argv '${script}'\n`);
  t.match(await smsgw(`config check ${directory}/good/new`), {
    code: 0,
    out: new RegExp(`warning: c\\.argv: .*(?:can write to|can replace) ${script}`),
  });
  writeFileSync(
    `${directory}/good/new`,
    "config modem 'm'\n\toption pin '1234\n\toption device '/dev/null'\n\toption init 'AT E0 V1'\n",
  );
  t.same(await smsgw(`config check ${directory}/good/new`), {
    code: 78,
    out: `${directory}/good/new:4: error: too many arguments; a quote that opens in line 2 is perhaps not closed\n`,
    err: '',
  });
  t.match(await smsgw(`config check --config-dir ${directory} ${directory}/good/new`), { code: 64 });
  writeFileSync(`${directory}/good/key`, 'k');
  chmodSync(`${directory}/good/key`, 0o644);
  writeFileSync(
    `${directory}/good/new`,
    `config gateway 'gateway'\n\toption read_group 'no-such-group'\n\toption http_cert '/c'\n\toption http_key '${directory}/good/key'\n`,
  );
  t.match(await smsgw(`config check ${directory}/good/new`), {
    code: 0,
    out: /warning: all users can read the private key in \S+key: mode 0644.*\nwarning: gateway\.read_group: there is no group no-such-group/,
  });
});

t.test('what doctor says of the warnings and figures of a running gateway', async (t) => {
  const warns = (sentence: string) => warningFinding(sentence);
  t.match(
    warns(
      'the limit of 30 SMS a day to +37060000001 is reached: further ones are refused (2 refused, the last just now)',
    ),
    {
      level: 'warning',
      text: 'the limit of 30 SMS a day to a number is reached: further ones are refused (2 refused, the last just now)',
      advice: /list --box outbox/,
    },
  );
  t.match(warns('pop3 may not send to +370900123: it begins with +370900, which deny_prefix names'), {
    text: 'pop3 may not send to a number: it begins with +370900, which deny_prefix names',
    advice: /deny_prefix/,
  });
  t.match(warns('gateway.read_group: there is no group x on this system, so the socket for it is missing'), {
    advice: /smsgw reload/,
  });
  t.match(warns('1 damaged record is in journal.corrupt'), { advice: /replace it/ });
  const found = (status: JsonObject) => runningFindings(status, String);
  t.match(found({ doors: { cgi: { locked_out: 1 }, smpp: { locked_out: 2 }, pages: { locked_out: 0 } } }), [
    ...[{}, {}, {}, {}],
    { level: 'warning', area: 'logins', text: 'locked out: 1 address at Post/Get' },
    { level: 'warning', area: 'logins', text: 'locked out: 2 addresses at SMPP' },
  ]);
  const calm = found({ limits: { refused: 1 }, queue: { queued: 1 } });
  t.match(
    calm.filter(({ level }) => level === 'ok').map(({ text }) => text),
    ['none is switched on', '1 message waits', /inbox/, 'none is near; 1 message was refused since the start'],
  );
});

t.test('the config is that of the gateway behind the socket', async (t) => {
  const { smsgw, next, directory } = await setUp(t);
  const config = testFolder(t, { sms_gateway: "config post_get 'post_get'\n\toption password 'theirs'\n" });
  next.config = `${config}/sms_gateway`;
  t.match(await smsgw('config get post_get.password'), { code: 0, out: 'theirs\n' });
  t.match(await smsgw('config check'), { out: new RegExp(`^${config}/sms_gateway`) });
  t.match(await smsgw('config set smpp.port 2776'), { code: 0 });
  t.match(await smsgw('token create grafana'), { code: 0 });
  t.match(await smsgw('token list'), { out: /^NAME +STATE .*\ngrafana +on / });
  t.match(await smsgw('passwd', 'a long password\n'), { code: 0 });
  t.match(readFileSync(`${config}/rpcd`, 'utf8'), /admin/);
  t.match(readFileSync(next.config, 'utf8'), /theirs[\s\S]*2776[\s\S]*grafana/);
  const fresh = testFolder(t, { config: {} });
  next.config = `${fresh}/config/sms_gateway`;
  t.match(await smsgw('config check'), { code: 66, err: /there is no file .*config\/sms_gateway\n$/ });
  t.match(await smsgw('token list'), { code: 0, out: 'No tokens.\n' });
  t.match(await smsgw('config set smpp.port 2777'), { code: 0 }, 'the first setting of a gateway without a file');
  t.match(readFileSync(next.config, 'utf8'), /2777/);

  // Nobody says where it is: /etc/config and the like, which a machine that runs this test may have.
  const usual = ['/etc/config', '/etc/sms-gateway'].find((each) => existsSync(each)) ?? '/etc/config';
  const isThere = existsSync(`${usual}/sms_gateway`);
  for (const line of ['token list', 'config get smpp.no_such', 'config check']) {
    const { code, err } = await smsgw(`--socket ${directory}/none ${line}`);
    t.equal(/there is no file .*is --config-dir missing\?/.test(err), !isThere, line);
    if (!isThere) t.equal(code, 66);
  }
});

t.test('config get', async (t) => {
  const { smsgw } = await setUp(t);
  const directory = testFolder(t, {
    sms_gateway: "config post_get 'post_get'\n\toption password 'it'\\''s'\n\tlist l 'a'\n\tlist l 'b'\n",
    broken: { sms_gateway: 'option without a section' },
  });
  const get = (name: string, inside = '') => smsgw(`config get --config-dir ${directory}${inside} ${name}`);
  t.same(await get('post_get.password'), { code: 0, out: "it's\n", err: '' });
  t.same(await get('post_get.l'), { code: 0, out: 'a\nb\n', err: '' });
  t.match(await get('post_get.username'), { code: 78, out: '', err: /does not set post_get\.username/ });
  t.match(await get('smpp.username'), { code: 78, err: /does not set smpp\.username/ });
  t.match(await get('post_get.pasword'), { code: 78, err: /, did you mean post_get\.password\?/ });
  t.match(await get('post_gte.passwrd'), { code: 78, err: /, did you mean post_get\.password\?/ });
  t.match(await get('post_get.password', '/none'), { code: 66, err: /there is no file .*\/none\/sms_gateway/ });
  t.match(await get('post_get.password', '/broken'), { code: 78, err: /broken\/sms_gateway: / });
  t.match(await get('post_get'), { code: 64, err: /wanted SECTION\.OPTION/ });
});

t.test('config set', async (t) => {
  const { smsgw } = await setUp(t);
  const directory = testFolder(t, { sms_gateway: "config modem 'gsm0'\n\toption pin '1234'\n" });
  const set = (...words: string[]) => smsgw(['config', 'set', '--config-dir', directory, ...words]);
  t.same(await set('smpp.port', '2776'), { code: 0, out: 'smpp.port is set.\n', err: '' });
  t.match(await set('gsm0.init', 'AT+CSQ', 'ATI'), { code: 0 });
  t.match(await set('gsm0.pin'), { code: 0, out: 'gsm0.pin is removed.\n' });
  const { config, errors } = await loadConfig(directory);
  t.same(errors, []);
  t.match(config, { smpp: { port: 2776 }, modems: [{ section: 'gsm0', init: ['AT+CSQ', 'ATI'] }] });
  const before = readFileSync(`${directory}/sms_gateway`, 'utf8');
  for (const [words, wanted] of [
    [['gsm0.pn', '1'], { code: 78, err: /section gsm0 has no option pn, did you mean gsm0\.pin\?/ }],
    [['gms0.pin', '1234'], { code: 78, err: /no section gms0, did you mean gsm0\.pin\?/ }],
    [['gsm0.pin', 'secret'], { code: 64, err: /gsm0\.pin: wanted 4 to 8 digits/ }],
    [['smpp.port', '1', '2'], { code: 64, err: /takes one value/ }],
    [['smpp'], { code: 64, err: /SECTION\.OPTION/ }],
    [['toString.constructor', 'x'], { code: 78 }],
  ] as const) {
    const result = await set(...words);
    t.match(result, wanted, words.join(' '));
    t.notMatch(result.err, /secret/);
  }
  t.equal(readFileSync(`${directory}/sms_gateway`, 'utf8'), before, 'nothing is written');
});

t.test('passwd', async (t) => {
  const directory = testFolder(t);
  const accounts = new WebAccounts(directory, async () => undefined);
  const run = async (stdin: string, ...args: string[]) => {
    let [out, err] = ['', ''];
    const around = {
      stdin: Readable.from([stdin]),
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
      env: {},
    };
    const code = await runCommandLine(['passwd', '--config-dir', directory, ...args], around);
    return { code, out, err };
  };
  t.match(await run('first password\nmore\n'), { code: 0, out: /admin has a new password/, err: '' });
  t.match(await accounts.check('admin', 'first password'), { username: 'admin', read: ['*'], write: ['*'] });
  t.match(await run('second password', 'other'), { code: 0 });
  t.ok(await accounts.check('other', 'second password'));
  t.ok(await accounts.check('admin', 'first password'), 'others keep theirs');
  t.match(await run('changed password', 'admin', '--json'), { code: 0, out: '{"username":"admin"}\n' });
  t.equal(await accounts.check('admin', 'first password'), undefined);
  const file = readFileSync(`${directory}/rpcd`, 'utf8');
  t.match(file, /option password '\$6\$/);
  t.notMatch(file, 'password\n');
  t.equal(statSync(`${directory}/rpcd`).mode & 0o777, 0o600);
  t.match(await run('short'), { code: 64, err: /at least 8 characters/ });
  t.match(await run('x'.repeat(5000)), { code: 65 });
  t.match(await run('a good password', 'no blank'), { code: 64, err: /user name/ });
  writeFileSync(`${directory}/rpcd`, "config login\n\toption username 'root'\n\toption password '$p$root'\n");
  t.match(
    await run('a good password', 'root'),
    { err: /passwd/ },
    'the password of a system account is not changed here',
  );
});

t.test('as a program', async (t) => {
  const { path, calls } = await setUp(t);
  const run = (...args: string[]) =>
    spawn(process.execPath, ['--import=tsx', 'src/cli/smsgw.ts', '--socket', path, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  await t.test('text from stdin, exit code', async (t) => {
    const child = run('send', '1234');
    child.stdin.end('piped');
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    t.same([code, out, err], [0, '12 queued, 1 part gsm7\n', '']);
    t.same(calls.pop(), ['send', { number: '1234', text: 'piped' }]);
  });
  await t.test('a reader that closes the pipe early', async (t) => {
    const child = run('list');
    child.stdout.destroy();
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    t.equal(code, 0);
    t.notMatch(err, /EPIPE/);
  });
});

t.test('token', async (t) => {
  const directory = testFolder(t, { sms_gateway: "# mine\nconfig post_get 'post_get'\n\toption enabled '1'" });
  const run = async (...args: string[]) => {
    let [out, err] = ['', ''];
    const around = {
      stdin: Readable.from([]),
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
      env: {},
    };
    const [first = '', second = '', ...others] = args;
    return { code: await runCommandLine([first, second, '--config-dir', directory, ...others], around), out, err };
  };
  const config = async () => (await loadConfig(directory, routerLacks)).config;
  const file = () => readFileSync(`${directory}/sms_gateway`, 'utf8');
  t.match(await run('token', 'list'), { code: 0, out: 'No tokens.\n' });
  const made = await run('token', 'create', 'grafana');
  t.match(made, { code: 0, out: /^smsgw_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\n$/, err: /once/ });
  t.match(file(), /^# mine\n/, 'comments stay');
  t.notOk(file().includes(made.out.trim()), 'the token itself is kept nowhere');
  const expires = ['--expires', '2027-01-31 12:00'];
  t.match(
    await run(
      'token',
      'create',
      'ha',
      '--scope',
      'send, read',
      '--daily-limit',
      '50',
      '--allow-from',
      '10.0.0.0/8',
      ...expires,
    ),
    { code: 0 },
  );
  const { tokens, post_get } = await config();
  t.equal(post_get.enabled, true);
  t.equal(findToken(tokens, made.out.trim())?.name, 'grafana');
  t.match(tokens, [
    { name: 'grafana', scope: ['send'], daily_limit: 0, allow_from: [] },
    { name: 'ha', scope: ['send', 'read'], daily_limit: 50, allow_from: ['10.0.0.0/8'], expires: '2027-01-31 12:00' },
  ]);
  t.match(
    (await run('token', 'list')).out,
    /^NAME .*\ngrafana +on +send +- +-\nha +on +send,read +50 +2027-01-31 12:00\n$/,
  );
  const active = file();
  writeFileSync(`${directory}/sms_gateway`, active.replace('2027-01-31 12:00', '2020-01-31 12:00'));
  t.match((await run('token', 'list')).out, /^ha +expired +send,read +50 +2020-01-31 12:00$/m);
  const [, { daily_limit, expired }] = JSON.parse((await run('token', 'list', '--json')).out).tokens;
  t.same({ daily_limit, expired }, { daily_limit: 50, expired: true });
  writeFileSync(`${directory}/sms_gateway`, active);
  const before = file();
  for (const [args, wanted] of [
    [['grafana'], { code: 65, err: /already/ }],
    [['no blank'], { code: 64, err: /NAME: got "no blank"/ }],
    [['x', '--scope', 'send,all'], { code: 64, err: /--scope: got "all", wanted "send" or/ }],
    [['x', '--daily-limit', '-1'], { code: 64 }],
    [['x', '--expires', 'tomorrow'], { code: 64, err: /--expires/ }],
    [['x', '--expires', '2020-02-20 12:00'], { code: 64, err: /--expires: 2020-02-20 12:00 is past/ }],
    [['x', '--allow-from', '10.0.0.0/33'], { code: 64, err: /--allow-from/ }],
  ] as const) {
    t.match(await run('token', 'create', ...args), wanted, args.join(' '));
  }
  const printed = await run('token', 'create', 'other', '--print', '--json');
  t.equal(file(), before, 'nothing is written');
  const { token, config: lines } = JSON.parse(printed.out);
  writeFileSync(`${directory}/sms_gateway`, lines);
  t.equal(findToken((await config()).tokens, token)?.name, 'other');
  t.match(await run('token', 'remove', 'nobody'), { code: 64, err: /no token "nobody"/ });
  t.match(await run('token', 'remove', 'other'), { code: 0 });
  t.same((await config()).tokens, []);
});
