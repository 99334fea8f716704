import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { createLogger } from '../../src/base/log.ts';
import { EventFeed, type GatewayEvents } from '../../src/rpc/events.ts';
import type { RpcObject } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { cgiSignatures } from '../../src/rpc/objects/cgi.ts';
import { gatewaySignatures } from '../../src/rpc/objects/gateway.ts';
import { messageSignatures } from '../../src/rpc/objects/message/signatures.ts';
import { modemSignatures } from '../../src/rpc/objects/modem.ts';
import { moduleSignatures } from '../../src/rpc/objects/module.ts';
import { simulatorSignatures } from '../../src/rpc/objects/simulator.ts';
import { RoleSockets, rolePath } from '../../src/rpc/role-sockets.ts';
import { roles } from '../../src/rpc/roles.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { LineClient } from './line-client.ts';

const root = join(import.meta.dirname, '../..');
const json = (path: string) => JSON.parse(readFileSync(join(root, 'files', path), 'utf8'));

t.test('the roles are those of the files for rpcd and ubusd', async (t) => {
  const { read, write } = json('usr/share/rpcd/acl.d/luci-app-sms-gateway.json')['luci-app-sms-gateway'];
  const methods = { ...read.ubus, sms_gateway: read.ubus.sms_gateway.filter((name: string) => name !== ':subscribe') };
  t.strictSame(roles.read, methods);
  t.strictSame(roles.send, {
    ...methods,
    'sms_gateway.message': [...read.ubus['sms_gateway.message'], ...write.ubus['sms_gateway.message']],
  });
  for (const role of ['read', 'send'] as const) {
    const { access, group } = json(`usr/share/acl.d/sms_gateway_${role}.json`);
    const granted = Object.entries<{ methods: string[] }>(access).map(([object, { methods }]) => [object, methods]);
    t.strictSame(Object.fromEntries(granted), roles[role]);
    t.equal(group, `sms-${role}`);
  }
});

/** What changes something else than messages: a method that is neither here nor in a role has been forgotten. */
const forAdministrators: Readonly<Record<string, readonly string[]>> = {
  sms_gateway: ['reload'],
  'sms_gateway.modem': ['ussd', 'at', 'restart'],
  'sms_gateway.module': ['restart', 'test'],
  'sms_gateway.cgi': ['request'],
  'sms_gateway.simulator': ['receive', 'sent'],
};

t.test('whoever may send may call every method but those for administrators', async (t) => {
  const all = {
    sms_gateway: gatewaySignatures,
    'sms_gateway.message': messageSignatures,
    'sms_gateway.modem': modemSignatures,
    'sms_gateway.module': moduleSignatures,
    'sms_gateway.cgi': cgiSignatures,
    'sms_gateway.simulator': simulatorSignatures,
  };
  const granted: Readonly<Record<string, readonly string[]>> = roles.send;
  for (const [name, signatures] of Object.entries(all)) {
    const known = [...(granted[name] ?? []), ...(forAdministrators[name] ?? [])];
    t.strictSame(Object.keys(signatures).sort(), known.sort(), name);
  }
});

const called: string[] = [];
const object = (name: string, ...methods: readonly string[]): RpcObject => ({
  name,
  methods: Object.fromEntries(
    methods.map((method) => [
      method,
      {
        ...{ help: '', args: {}, result: {} },
        call: async () => {
          called.push(`${name} ${method}`);
          return {};
        },
      },
    ]),
  ),
});

async function setUp(t: Test) {
  const log: string[] = [];
  const logger = createLogger({ level: 'info', write: (line) => void log.push(line) });
  const namespace = new Namespace(logger);
  namespace.add(object('sms_gateway', 'status', 'health', 'metrics', 'version', 'reload'));
  namespace.add(object('sms_gateway.message', 'list', 'send', 'delete'));
  namespace.add(object('sms_gateway.modem', 'status', 'at', 'ussd'));
  namespace.add(object('sms_gateway.cgi', 'request'));
  const bus = new Bus<GatewayEvents>(logger);
  const folder = mkdtempSync(join(tmpdir(), 'roles-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'g.sock');
  const own = process.getegid?.() ?? 0;
  const sockets = new RoleSockets({
    ...{ path, namespace, events: new EventFeed(bus), clock: new ManualClock(), log: logger },
    groupId: async (name) => (name === 'staff' ? own : undefined),
  });
  t.teardown(() => sockets.stop());
  return { sockets, path, log };
}

const call = (object: string, method: string) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'call' },
  params: [object, method, {}],
});

t.test('a socket lets in who is in its group, to what its role may', async (t) => {
  const { sockets, path } = await setUp(t);
  await sockets.configure({ read_group: 'staff', send_group: 'staff' });
  for (const [role, allowed] of [
    [
      'read',
      [
        'sms_gateway status',
        'sms_gateway health',
        'sms_gateway metrics',
        'sms_gateway version',
        'sms_gateway.message list',
        'sms_gateway.modem status',
      ],
    ],
    [
      'send',
      [
        'sms_gateway status',
        'sms_gateway health',
        'sms_gateway metrics',
        'sms_gateway version',
        'sms_gateway.message list',
        'sms_gateway.message send',
        'sms_gateway.message delete',
        'sms_gateway.modem status',
      ],
    ],
  ] as const) {
    const place = rolePath(path, role);
    const { mode, gid } = statSync(place);
    t.equal(mode & 0o777, 0o660);
    t.equal(gid, process.getegid?.());
    called.length = 0;
    const client = new LineClient(place);
    t.teardown(() => client.socket.destroy());
    for (const [object, methods] of Object.entries({
      sms_gateway: ['status', 'health', 'metrics', 'version', 'reload', 'toString'],
      'sms_gateway.message': ['list', 'send', 'delete'],
      'sms_gateway.modem': ['status', 'at', 'ussd'],
      'sms_gateway.cgi': ['request'],
      constructor: ['name'],
    })) {
      for (const method of methods) {
        client.send(call(object, method));
        const answer = await client.read();
        const may = (allowed as readonly string[]).includes(`${object} ${method}`);
        if (may) t.match(answer, { result: {} }, `${role}: ${object} ${method}`);
        else t.match(answer, { error: { data: { code: 'access_denied' } } }, `${role}: ${object} ${method}`);
      }
    }
    t.strictSame([...called].sort(), [...allowed].sort());
    client.send({ jsonrpc: '2.0', id: 2, method: 'list' });
    const { result } = (await client.read()) as { result: object };
    t.strictSame(Object.keys(result), ['sms_gateway', 'sms_gateway.message', 'sms_gateway.modem']);
  }
});

t.test('sockets come and go with the config', async (t) => {
  const { sockets, path, log } = await setUp(t);
  await sockets.configure({ read_group: 'nobody-knows' });
  t.match(log, [/^error gateway\.read_group: there is no group nobody-knows on this system/]);
  t.match(sockets.warnings(), [/^gateway\.read_group: there is no group nobody-knows on this system/]);
  await sockets.configure({ read_group: 'nobody-knows' });
  t.equal(log.length, 1, 'once in the log');
  t.throws(() => statSync(rolePath(path, 'read')));
  await sockets.configure({ read_group: 'staff' });
  t.ok(statSync(rolePath(path, 'read')).isSocket());
  t.strictSame(sockets.warnings(), []);
  await sockets.configure({});
  t.throws(() => statSync(rolePath(path, 'read')));
});
