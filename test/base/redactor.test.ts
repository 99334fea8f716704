import t from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { GatewayError } from '../../src/base/errors.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { createLogger } from '../../src/base/log.ts';
import { Redactor } from '../../src/base/redactor.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { secretsOf } from '../../src/config/secrets.ts';
import type { ModuleStatus } from '../../src/modules/host/contract.ts';
import { EventFeed, type GatewayEvents } from '../../src/rpc/events.ts';
import { implement } from '../../src/rpc/method.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { moduleObject } from '../../src/rpc/objects/module.ts';
import { testFolder } from '../support/folder.ts';
import { until } from '../support/outbox-rig.ts';

t.test('what is hidden', async (t) => {
  const redactor = new Redactor();
  t.equal(redactor.hide('nothing is known'), 'nothing is known');
  const secret = 'pa"ss wörd+/$1';
  redactor.set([secret, '4711', 'abc', '12345678', '123456789', `user:${secret}`]);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const cases: readonly (readonly [text: string, shown: string])[] = [
    [`535 ${secret} is wrong`, '535 *** is wrong'],
    [`{"password":${JSON.stringify(secret)}}`, '{"password":"***"}'],
    [`/x?p=${encodeURIComponent(secret)}&q`, '/x?p=***&q'],
    [`/x?p=${encodeURIComponent(secret).replaceAll('%20', '+')}&q`, '/x?p=***&q'],
    [`535 ${base64(secret)}`.replace(/=+$/, ''), '535 ***'],
    [`Basic ${base64(`user:${secret}`)}`.replace(/=+$/, ''), 'Basic ***'],
    ['AT+CPIN="4711"', 'AT+CPIN="***"'],
    ['message 4711 to +3704711', 'message 4711 to +3704711'],
    ['AT+CPIN="12345678"', 'AT+CPIN="***"'],
    ['key 123456789', 'key ***'],
    ['abc', 'abc'],
    [`${secret}${secret}`, '******'],
  ];
  for (const [text, shown] of cases) t.equal(redactor.hide(text), shown, shown);
  redactor.set(['another one']);
  t.equal(redactor.hide(`${secret}, another one`), '***, ***', 'work in flight has the old one');
  redactor.set([]);
  t.equal(redactor.hide(`${secret}, another one`), `${secret}, ***`);
  redactor.set([]);
  t.equal(redactor.hide('another one'), 'another one');
});

t.test('the secrets of the config', async (t) => {
  const directory = testFolder(t, {
    sms_gateway: `
config post_get 'post_get'
	option username 'user1'
	option password 'cgi secret'
config smpp 'smpp'
	option password 'smppword'
config smpp_account 'second'
	option username 'second'
	option password 'second1'
config modem 'gsm0'
	option device '/dev/ttyUSB2'
	option pin '4711'
config forwarding_to_http 'forwarding_to_http'
	option url 'http://me:url%20secret@example.org/x'
config pop3 'pop3'
	option username 'box'
	option password 'mail secret'
`,
  });
  const { config } = await loadConfig(directory);
  const secrets = secretsOf(config);
  for (const secret of ['cgi secret', 'smppword', 'second1', '4711', 'url secret', 'url%20secret', 'mail secret']) {
    t.ok(secrets.has(secret), secret);
  }
  t.ok(secrets.has('user1:cgi secret'));
  t.notOk(secrets.has('user1'));
});

t.test('nothing that leaves has a secret', async (t) => {
  const redactor = new Redactor();
  redactor.set(['hunter22']);
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', redactor, write: (line) => void lines.push(line) });
  log.child('module').warning('the server says: 535 hunter22 is wrong');
  log.debug(() => 'hunter22');
  t.same(lines, ['warning module: the server says: 535 *** is wrong\n', 'debug ***\n']);

  const namespace = new Namespace(log, redactor);
  const show = { help: '', args: {}, result: {} };
  const fail = { help: '', args: {}, result: {} };
  for (const name of ['sms_gateway.module', 'sms_gateway.message']) {
    namespace.add(
      implement(
        name,
        { show, fail },
        {
          show: async () => ({ list: [{ error: 'hunter22!', count: 1, none: null }] }),
          fail: () => Promise.reject(new GatewayError('peer_rejected', 'said hunter22')),
        },
      ),
    );
  }
  const caller = { transport: 'unix', signal: new AbortController().signal } as const;
  t.same(await namespace.call('sms_gateway.module', 'show', {}, caller), {
    list: [{ error: '***!', count: 1, none: null }],
  });
  t.same(
    await namespace.call('sms_gateway.message', 'show', {}, caller),
    { list: [{ error: 'hunter22!', count: 1, none: null }] },
    'texts of messages are as they came',
  );
  for (const name of ['sms_gateway.module', 'sms_gateway.message']) {
    await t.rejects(namespace.call(name, 'fail', {}, caller), { code: 'peer_rejected', message: 'said ***' });
  }
});

t.test(
  'a secret that is a word of the gateway blanks out no name and no state, and shows in no sentence',
  async (t) => {
    const redactor = new Redactor();
    redactor.set(['smpp', 'ready']);
    redactor.set(['smpp', 'failed']);
    const log = createLogger({ level: 'debug', redactor, write: () => undefined });
    const status: ModuleStatus = {
      ...{ name: 'smpp', enabled: true, state: 'failed', since: 0, error: 'the server says: smpp failed', pending: 0 },
      counters: { failed: 1 },
    };
    const shown = { name: 'smpp', state: 'failed', error: 'the server says: *** ***', counters: { failed: 1 } };
    const namespace = new Namespace(log, redactor);
    namespace.add(
      moduleObject({
        list: () => [status],
        status: () => ({ ...status, details: { sessions: [{ section: 'smpp', answer: 'smpp' }] } }),
        restart: async () => status,
        test: async () => 'smpp is ready',
      }),
    );
    const reload = { help: '', args: {}, result: {} };
    namespace.add(
      implement('sms_gateway', { reload }, { reload: async () => ({ sections: ['smpp', 'modem.ready'] }) }),
    );
    const caller = { transport: 'unix', signal: new AbortController().signal } as const;
    const call = (object: string, method: string, args = {}) => namespace.call(object, method, args, caller);
    t.match(await call('sms_gateway.module', 'list'), { modules: [shown] });
    t.match(await call('sms_gateway.module', 'status', { module: 'smpp' }), {
      ...shown,
      details: { sessions: [{ section: 'smpp', answer: '***' }] },
    });
    t.same(await call('sms_gateway.module', 'test', { module: 'smpp' }), { message: '*** is ***' });
    t.same(await call('sms_gateway', 'reload'), { sections: ['smpp', 'modem.ready'] });

    const bus = new Bus<GatewayEvents>(log);
    const feed = new EventFeed(bus, redactor);
    const events: (readonly [string, JsonObject])[] = [];
    feed.on(events, (name, payload) => void events.push([name, payload]));
    bus.emit('module.state', status);
    bus.emit('modem.state', {
      ...{ name: 'smpp', state: 'ready', since: 0, device: 'sim', operator: 'ready', registration: 'home' },
      ...{ sent: 0, received: 0, errors: 0, reopened: 0 },
    });
    await until(() => events.length === 2, 'both events');
    t.match(events, [
      ['module.state', shown],
      ['modem.state', { name: 'smpp', state: 'ready', operator: '***' }],
    ]);
  },
);
