import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Daemon } from '../support/daemon.ts';
import { testFolder } from '../support/folder.ts';
import { freePort, freePorts } from '../support/free-port.ts';
import { Kannel, KannelConfig } from '../support/kannel.ts';
import { missingPrograms } from '../support/programs.ts';

/*
 * Clients that others wrote, as Debian packs them, at the SMPP server of a whole daemon with a simulated modem.
 */
t.jobs = 2;

const ALICE = '+37060000001';
const BOB = '+37060000002';
const CYRILLIC = 'Привет, мир';
const LONG = '0123456789'.repeat(30);

interface Gateway {
  readonly daemon: Daemon;
  readonly port: number;
}

async function gateway(t: Test, options: Readonly<Record<string, string>> = {}): Promise<Gateway> {
  const port = await freePort();
  const lines = Object.entries({ enabled: '1', port: `${port}`, address: '127.0.0.1', ...options });
  const config = `config modem 'sim0'
	option device 'sim'
	option send_interval '0'

config smpp 'smpp'
${lines.map(([name, value]) => `\toption ${name} '${value}'\n`).join('')}`;
  const daemon = new Daemon({ folder: testFolder(t), config });
  t.teardown(() => daemon.stop('SIGKILL'));
  await daemon.start();
  await daemon.until('sms_gateway.modem', 'list', {}, ({ modems }) => JSON.stringify(modems).includes('"ready"'));
  return { daemon, port };
}

const receive = ({ daemon }: Gateway, from: string, text: string) =>
  daemon.call('sms_gateway.simulator', 'receive', { from, text });

/** Waits until the modem has sent so many messages; their texts. */
async function sent({ daemon }: Gateway, count: number): Promise<readonly string[]> {
  const all = (messages: unknown) => messages as readonly { readonly text: string }[];
  const { messages } = await daemon.until(
    'sms_gateway.simulator',
    'sent',
    {},
    (result) => all(result.messages).length >= count,
  );
  return all(messages).map(({ text }) => text);
}

const hex = (text: string, encoding: 'latin1' | 'utf16le' = 'latin1') => {
  const octets = Buffer.from(text, encoding);
  return `0x${(encoding === 'utf16le' ? octets.swap16() : octets).toString('hex')}`;
};

type Answer = Readonly<Record<string, string>>;

/** A client by Net::SMPP. */
class Perl {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(t: Test) {
    const child = spawn('perl', ['test/e2e/net-smpp.pl'], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 60_000 });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    t.teardown(() => child.kill());
  }

  /** What it answers to a command, octets as Latin-1. */
  async do(command: string, fields: Readonly<Record<string, string | number>> = {}): Promise<Answer> {
    const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
    this.#child.stdin?.write(`${[command, ...pairs].join(' ')}\n`);
    return Object.fromEntries(
      (await this.line()).split(' ').map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return [name, name === 'status' ? value : Buffer.from(value, 'hex').toString('latin1')];
      }),
    );
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    return `${value}`;
  }
}

const perlModule = spawnSync('perl', ['-MNet::SMPP', '-e', '1']).status === 0;
const noPerl =
  perlModule || process.env['CI'] === 'true' ? false : 'no Net::SMPP here: apt-get install libnet-smpp-perl';

t.test('Net::SMPP', { skip: noPerl }, async (t) => {
  const server = await gateway(t);
  const { port, daemon } = server;
  const client = new Perl(t);
  const bind = (mode: string, password = 'admin01') => client.do(`bind ${mode} ${port} admin ${password}`);
  const to = { source_addr: '', dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: ALICE.slice(1) };

  t.equal((await bind('transceiver', 'wrong')).status, `${0x0e}`, 'a wrong password is told as such');
  t.match(await bind('transceiver'), { status: '0', system_id: 'sms_gateway' });

  // Texts, and a receipt for each.
  const submits: readonly (readonly [fields: Record<string, string | number>, texts: readonly string[]])[] = [
    [{ short_message: hex('hi\x02\x00') }, ['hi$@']],
    [{ data_coding: 8, short_message: hex(CYRILLIC, 'utf16le') }, [CYRILLIC]],
    [{ data_coding: 6, short_message: hex('\xbf\xe0\xd8\xd2\xd5\xe2') }, ['Привет']],
    [{ message_payload: hex(LONG), short_message: '' }, [LONG]],
  ];
  for (const [fields, texts] of submits) {
    const { status, message_id: id = '' } = await client.do('submit_sm', { ...to, registered_delivery: 1, ...fields });
    t.equal(status, '0');
    const receipt = await client.do('deliver');
    t.match(receipt, { status: '0', source_addr: ALICE.slice(1), receipted_message_id: id });
    t.match(
      receipt.short_message,
      new RegExp(`^id:${id} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 text:`),
    );
    t.equal(receipt.esm_class?.charCodeAt(0), '4'.charCodeAt(0));
    t.match(await client.do('query_sm', { message_id: id, source_addr: '' }), { status: '0', message_id: id });
    t.same((await sent(server, 1)).slice(-texts.length), texts);
  }
  for (const at of [1, 2]) {
    const udh = `050003070${2}0${at}`;
    const part = { esm_class: 0x40, short_message: `0x${udh}${Buffer.from(`part ${at} `).toString('hex')}` };
    t.equal((await client.do('submit_sm', { ...to, ...part })).status, '0');
  }
  t.equal((await sent(server, submits.length + 1)).at(-1), 'part 1 part 2 ', 'the phone joins what the client has cut');

  // Received messages.
  await receive(server, ALICE, 'hello');
  t.match(await client.do('deliver'), { source_addr: ALICE.slice(1), short_message: 'hello', data_coding: '0' });
  await receive(server, ALICE, CYRILLIC);
  const cyrillic = await client.do('deliver');
  t.equal(cyrillic.data_coding, '8');
  t.equal(
    Buffer.from(cyrillic.short_message ?? '', 'latin1')
      .swap16()
      .toString('utf16le'),
    CYRILLIC,
  );
  await receive(server, ALICE, LONG);
  t.match(await client.do('deliver'), { short_message: '', message_payload: LONG });

  // Away, and back again.
  t.equal((await client.do('unbind')).status, '0');
  t.equal(await client.line(), 'closed', 'the server closes after unbind');
  for (const text of ['one', 'two', 'three']) await receive(server, BOB, text);
  await daemon.until('sms_gateway.module', 'status', { module: 'smpp' }, ({ pending }) => pending === 3);
  await daemon.stop('SIGKILL');
  await daemon.start();
  t.equal((await bind('receiver')).status, '0');
  for (const text of ['one', 'two', 'three']) t.match(await client.do('deliver'), { short_message: text });
  t.equal((await client.do('submit_sm', { ...to, short_message: 'x' })).status, '4', 'a receiver cannot submit');
});

/** Collects the requests that Kannel makes; `path?query` of each. */
async function webServer(t: Test): Promise<{ readonly port: number; readonly requests: URL[] }> {
  const requests: URL[] = [];
  const server = createServer((request, response) => {
    requests.push(new URL(request.url ?? '', 'http://kannel'));
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, requests };
}

/** Waits until `done` holds; fails after 60 s. */
async function until(done: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !done(); await wait(20)) {
    if (Date.now() > deadline) throw new Error(`waited 60 s until ${what}`);
  }
}

/** The configuration of examples/kannel with this gateway alone. */
function kannelConfig(smpp: number, web: number): KannelConfig {
  const config = KannelConfig.read('examples/kannel/kannel.conf');
  config.group('core').set('sms-resend-freq', '1');
  const [group] = config.gateways;
  if (group === undefined) throw new Error('the example has no gateway');
  group.set('host', '127.0.0.1').set('port', `${smpp}`).set('smsc-username', 'admin').set('smsc-password', 'admin01');
  group.set('throughput', '0').set('reconnect-delay', '1').set('enquire-link-interval', '2');
  group.set('max-pending-submits', '10');
  config.setGateways([group]);
  config.group('sms-service').set('get-url', `"http://127.0.0.1:${web}/received?text=%a"`);
  return config;
}

t.test('Kannel', { skip: missingPrograms(['bearerbox', 'smsbox'], 'kannel') }, async (t) => {
  const server = await gateway(t, { rate: '5' });
  const { daemon, port } = server;
  const web = await webServer(t);
  const folder = `${t.testdirName}/kannel`;
  mkdirSync(folder, { recursive: true });
  const kannel = new Kannel(folder, kannelConfig(port, web.port), await freePorts(3));
  t.teardown(() => kannel.stop());
  await kannel.start();
  await kannel.online();
  const send = (name: string, text: string, coding: 0 | 2 = 0) => {
    const report = `http://127.0.0.1:${web.port}/report?name=${name}&type=%d`;
    return kannel.send(ALICE, text, report, { charset: 'UTF-8', coding: `${coding}` });
  };
  const reported = (name: string) =>
    web.requests.some(
      (url) =>
        url.pathname === '/report' && url.searchParams.get('name') === name && url.searchParams.get('type') === '1',
    );
  const received = () =>
    web.requests.filter(({ pathname }) => pathname === '/received').map(({ searchParams }) => searchParams.get('text'));

  const texts = ['Labas $@€', CYRILLIC, LONG] as const;
  for (const [at, text] of texts.entries()) {
    await send(`n${at}`, text, text === CYRILLIC ? 2 : 0);
  }
  t.same([...(await sent(server, 3))].sort(), [...texts].sort(), 'GSM with escapes, UCS2, and one in parts');
  for (const at of texts.keys()) await until(() => reported(`n${at}`), `the report of ${at} is matched`);

  await receive(server, BOB, 'hello');
  await receive(server, BOB, LONG);
  await until(() => received().length === 2, 'both are received');
  t.same(received(), ['hello', LONG]);

  // More than the rate: Kannel is told to wait, waits, and loses nothing.
  const burst = Array.from({ length: 12 }, (_, n) => `burst ${n}`);
  for (const text of burst) await send(text.replace(' ', ''), text);
  t.same(
    [...(await sent(server, 3 + burst.length))].filter((text) => text.startsWith('burst')).sort(),
    [...burst].sort(),
  );
  const { counters } = await daemon.call('sms_gateway.module', 'status', { module: 'smpp' });
  t.ok(Number((counters as { throttled?: number }).throttled) > 0, 'it was throttled');

  await daemon.stop('SIGKILL');
  await daemon.start();
  await receive(server, BOB, 'back again');
  await kannel.online();
  await until(() => received().length === 3, 'it has bound again');
  t.equal(received().at(-1), 'back again');
});
