import { readFileSync } from 'node:fs';
import t from 'tap';
import { rpcReference } from '../../scripts/rpc-reference.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import type { ModemStatus } from '../../src/modem/status.ts';
import type { CgiRequest, ModuleStatus } from '../../src/modules/host/contract.ts';
import type { RpcObject } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { cgiObject } from '../../src/rpc/objects/cgi.ts';
import { gatewayObject } from '../../src/rpc/objects/gateway.ts';
import { type ModemDirectory, modemObject } from '../../src/rpc/objects/modem.ts';
import { type ModuleDirectory, moduleObject } from '../../src/rpc/objects/module.ts';
import { simulatorObject } from '../../src/rpc/objects/simulator.ts';
import { SimulatedModem } from '../../src/simulator/index.ts';
import { ManualClock } from '../support/manual-clock.ts';

const started = Date.UTC(2026, 0, 1);

/** Calls one object's methods through the namespace, as every transport does. */
function caller(object: RpcObject) {
  const namespace = new Namespace(createLogger({ level: 'error', write: () => {} }));
  namespace.add(object);
  const abort = new AbortController();
  return (method: string, args: JsonObject = {}) =>
    namespace.call(object.name, method, args, { transport: 'unix', signal: abort.signal });
}

const modemStatus: ModemStatus = {
  name: 'gsm0',
  state: 'ready',
  since: started,
  device: '/dev/ttyUSB2',
  operator: 'Bitė',
  signal: -71,
  sent: 3,
  received: 1,
  errors: 0,
  reopened: 0,
};
const modemAnswer = { ...modemStatus, since: '2026-01-01T00:00:00.000Z', sent_today: 3, daily_limit: 200 };

function modemDirectory() {
  const restarted: string[] = [];
  const modem = {
    name: 'gsm0',
    status: () => modemStatus,
    restart: () => void restarted.push('gsm0'),
    ussd: async (code: string) => `answer to ${code}`,
    at: async (command: string) => ({ lines: [command], result: 'OK' }),
  };
  const modems: ModemDirectory = {
    list: () => [modem],
    find: (name) => (name === 'gsm0' ? modem : undefined),
    today: () => ({ sent: 3, limit: 200 }),
  };
  return { modems, restarted };
}

const moduleStatus: ModuleStatus = {
  name: 'post_get',
  enabled: true,
  state: 'running',
  since: started,
  pending: 2,
  counters: { requests: 7 },
};
const moduleAnswer = { ...moduleStatus, since: '2026-01-01T00:00:00.000Z' };

const modules: ModuleDirectory = {
  list: () => [moduleStatus],
  status: (name) => {
    if (name === 'post_get') return { ...moduleStatus, details: { locked: 1 } };
    throw new GatewayError('module_not_found', `no module ${name}`);
  },
  restart: async () => moduleStatus,
  test: async (name) => `${name} can be reached`,
};

t.test('sms_gateway.modem', async (t) => {
  const { modems, restarted } = modemDirectory();
  const call = caller(modemObject(modems));
  t.match(await call('list'), { modems: [modemAnswer], ports: Array });
  t.same(await call('status', { modem: 'gsm0' }), modemAnswer);
  t.same(await call('at', { modem: 'gsm0', command: 'AT+CSQ' }), { lines: ['AT+CSQ'], result: 'OK' });
  t.same(await call('ussd', { modem: 'gsm0', code: '*100#' }), { answer: 'answer to *100#' });
  t.same(await call('restart', { modem: 'gsm0' }), { modem: 'gsm0', state: 'ready' });
  t.same(restarted, ['gsm0']);
  await t.rejects(call('status', { modem: 'x' }), {
    code: 'modem_not_found',
    message: 'no modem "x"; there are: gsm0',
  });
  for (const code of ['', '*100#\r', 'AT', '1'.repeat(183)]) {
    await t.rejects(call('ussd', { modem: 'gsm0', code }), { code: 'invalid_argument' }, JSON.stringify(code));
  }
});

t.test('sms_gateway.module', async (t) => {
  const call = caller(moduleObject(modules));
  t.same(await call('list'), { modules: [moduleAnswer] });
  t.same(await call('status', { module: 'post_get' }), { ...moduleAnswer, details: { locked: 1 } });
  t.same(await call('restart', { module: 'post_get' }), moduleAnswer);
  t.same(await call('test', { module: 'post_get' }), { message: 'post_get can be reached' });
  await t.rejects(call('status', { module: 'x' }), { code: 'module_not_found' });
});

t.test('sms_gateway', async (t) => {
  const clock = new ManualClock(started);
  const fault = { severity: 'error', file: '/etc/config/sms_gateway', line: 3, message: 'no such option' } as const;
  const faults = [fault];
  const object = gatewayObject({
    version: '1.2.3',
    clock,
    metrics: { text: () => 'a 1\n', health: () => ({ healthy: false, problems: ['no modem is configured'] }) },
    modems: modemDirectory().modems,
    modules,
    outbox: {
      ceilings: () => ({ refused: 0 }),
      counts: () => ({
        queued: 1,
        sending: 0,
        sent: 2,
        delivered: 0,
        undelivered: 0,
        expired: 0,
        failed: 0,
        unknown: 0,
        cancelled: 0,
        doubled: 0,
      }),
      longestWaiting: async () => undefined,
    },
    store: { status: () => ({ size: 4096 }), warnings: () => ['the inbox holds 9 of 10 messages'] },
    config: {
      reload: async () => {
        faults.pop();
        return ['smpp'];
      },
      faults: () => faults,
      warnings: async () => ['all users can read it'],
    },
    process: () => ({ rss: 1 }),
    files: { config: '/etc/config/sms_gateway', store: '/etc/sms_gateway', socket: '/var/run/sms_gateway.sock' },
    doors: () => ({ http: { used: 1 } }),
    describe: () => ({ gateway: {} }),
  });
  const call = caller(object);
  await clock.advance(90_500);
  t.match(await call('status'), {
    version: '1.2.3',
    uptime: 90,
    modems: [modemAnswer],
    modules: [moduleAnswer],
    queue: { queued: 1, sent: 2 },
    store: { size: 4096 },
    process: { rss: 1 },
    doors: { http: { used: 1 } },
    warnings: ['the inbox holds 9 of 10 messages', 'all users can read it'],
    config_errors: [fault],
  });
  t.same(await call('reload'), { sections: ['smpp'], config_errors: [] }, 'the faults are those after the reload');
  t.same(await call('describe'), { sections: { gateway: {} } });
  t.same(await call('version'), { version: '1.2.3' });
});

t.test('sms_gateway.cgi', async (t) => {
  const seen: CgiRequest[] = [];
  const call = caller(
    cgiObject({
      async cgi(request) {
        seen.push(request);
        return { status: 200, contentType: 'text/plain', body: 'OK\n' };
      },
    }),
  );
  const request = {
    script: 'sms_send',
    method: 'POST',
    body: 'text=\u00e9\0',
    content_type: 'x/y',
    remote_addr: '::1',
    headers: { host: '[::1]', origin: 'http://evil.example', 'x-forwarded-for': '8.8.8.8', cookie: 'x', via: 7 },
  };
  t.same(await call('request', request), { status: 200, content_type: 'text/plain', body: 'OK\n' });
  const { script, method, body } = request;
  const origin = { host: '[::1]', origin: 'http://evil.example', forwardedFor: '8.8.8.8', viaProxy: true };
  t.same(seen, [{ script, method, query: '', contentType: 'x/y', body, remoteAddress: '::1', origin }]);
  await t.rejects(call('request', { ...request, query: 'text=\u0101' }), { code: 'invalid_argument' });
});

t.test('sms_gateway.simulator', async (t) => {
  const [first, second] = [new SimulatedModem(), new SimulatedModem()];
  t.teardown(() => {
    first.stop();
    second.stop();
  });
  const call = caller(
    simulatorObject(
      new Map([
        ['sim0', first],
        ['sim1', second],
      ]),
    ),
  );
  t.same(await call('receive', { from: '+37060000001', text: 'labas' }), { modem: 'sim0' });
  t.same(await call('receive', { from: 'Bank', text: 'x', modem: 'sim1' }), { modem: 'sim1' });
  t.equal(second.counters.waiting + second.counters.delivered, 1);
  t.same(await call('sent', { modem: 'sim1' }), { messages: [] });
  await t.rejects(call('sent', { modem: 'sim2' }), { code: 'modem_not_found' });
  const tooLong = call('receive', { from: '+37060000001', text: 'x'.repeat(50_000) });
  await t.rejects(tooLong, { code: 'text_too_long' });
  await t.rejects(caller(simulatorObject(new Map()))('sent'), { code: 'modem_not_found' });
});

t.test('docs/rpc.md is what `npx tsx scripts/rpc-docs.ts` writes', async (t) => {
  t.equal(readFileSync(new URL('../../docs/rpc.md', import.meta.url), 'utf8'), rpcReference());
});
