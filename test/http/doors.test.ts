import { linkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { cgiBin } from '../../src/http/cgi-bin.ts';
import { HttpServer } from '../../src/http/server.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import { EventFeed } from '../../src/rpc/events.ts';
import { Namespace } from '../../src/rpc/namespace.ts';
import { cgiObject } from '../../src/rpc/objects/cgi.ts';
import { UnixSocketServer } from '../../src/rpc/socket/server.ts';
import { buildShim } from '../cgi/shim.ts';
import { PostGetGateway } from '../modules/post-get-gateway.ts';
import { testFolder } from '../support/folder.ts';
import { missingPrograms } from '../support/programs.ts';
import { fetchOnce, rawRequest, startBusybox } from './web-server.ts';

const skip = missingPrograms(['cc', 'busybox'], 'gcc libc6-dev busybox');
const log = createLogger({ level: 'error', write: (line) => process.stderr.write(line) });

/** The same gateway twice, behind the built-in server and behind the shim under busybox httpd. */
async function openDoors(t: Test): Promise<{ builtIn: number; shim: number; gateways: readonly PostGetGateway[] }> {
  const folder = testFolder(t, { 'cgi-bin': {} });
  const first = await PostGetGateway.open(t, {}, join(folder, 'first'));
  const second = await PostGetGateway.open(t, {}, join(folder, 'second'));
  const server = new HttpServer({
    ...{ host: '127.0.0.1', port: 0, clock: systemClock, log },
    routes: [cgiBin((request, signal) => first.cgi(request, signal), systemClock)],
  });
  const { port: builtIn } = await server.start();
  t.teardown(() => server.stop());

  const socket = join(folder, 's');
  const namespace = new Namespace(log);
  namespace.add(cgiObject({ cgi: (request, signal) => second.cgi(request, signal) }));
  const events = new EventFeed(new Bus<GatewayEvents>(log));
  const rpc = new UnixSocketServer({ path: socket, mode: 0o600, namespace, events, clock: systemClock, log });
  await rpc.start();
  t.teardown(() => rpc.stop());
  buildShim(join(folder, 'cgi-bin/sms_list'), '-Os');
  for (const name of ['sms_read', 'sms_send', 'sms_total', 'sms_delete']) {
    linkSync(join(folder, 'cgi-bin/sms_list'), join(folder, 'cgi-bin', name));
  }
  const busybox = await startBusybox(folder, socket);
  t.teardown(() => void busybox.process.kill());
  return { builtIn, shim: busybox.port, gateways: [first, second] };
}

t.test('both doors give the same answer', { skip }, async (t) => {
  const { builtIn, shim, gateways } = await openDoors(t);
  for (const gateway of gateways) {
    await gateway.receive('+4915112345678', 'Grüße, 10 €\n"quoted" \\ 😀');
    await gateway.receive('Teltonika', 'x'.repeat(500));
  }
  const login = 'username=user1&password=user_pass';
  const get = (script: string, query = '', user = login) => ['GET', `/cgi-bin/${script}?${user}&${query}`, ''] as const;
  const post = (script: string, form: string, user = login) =>
    ['POST', `/cgi-bin/${script}`, `${user}&${form}`] as const;
  const long = `number=0037060000001&text=${encodeURIComponent('ä€ '.repeat(1000))}`;

  const requests: readonly (readonly [method: string, path: string, body: string])[] = [
    get('sms_list'),
    get('sms_list', 'format=json'),
    get('sms_list', 'state=x'),
    get('sms_list', '', 'username=user1&password=wrong'),
    get('sms_list', 'format=json', 'username=user1&password=wrong'),
    ['GET', '/cgi-bin/sms_list', ''],
    ['GET', '/cgi-bin/sms_list?', ''],
    ['POST', '/cgi-bin/sms_list', ''],
    ['POST', `/cgi-bin/sms_list?${login}`, ''],
    ['GET', `/cgi-bin/sms_list/more?${login}`, ''],
    post('sms_list', 'state=unread'),
    get('sms_read', 'number=0'),
    get('sms_read', 'number=0'),
    get('sms_read', 'number=1&format=json'),
    get('sms_read'),
    get('sms_read', 'number=7'),
    get('sms_total'),
    post('sms_total', 'format=json'),
    get('sms_send', 'number=0037060000001&text=a+b%2Bc'),
    get('sms_send', 'number=+37060000001&text=%E4'),
    get('sms_send', 'number=x&text=y'),
    get('sms_send', 'number=112'),
    get('sms_send', 'group=friends&text=%F0%9F%98%80&format=json'),
    get('sms_send', 'group=nobody&text=x'),
    post('sms_send', `number=112&text=${'x'.repeat(20_000)}`),
    post('sms_send', long),
    post('sms_send', 'number=112&text=r\xe4w \xc3\xa4 octets'),
    post('sms_send', 'number=112&text='.padEnd(65_536 - login.length - 1, '\xe4')),
    post('sms_send', `number=112&text=${'x'.repeat(66_000)}`),
    post('sms_send', `number=112&text=${'x'.repeat(255 * 153 + 1)}`),
    ['POST', `/cgi-bin/sms_send?${login}&number=112`, 'text=both\r\n'],
    ['POST', '/cgi-bin/sms_total', '{"username":"user1","password":"user_pass"}'],
    get('sms_send', 'number=112,113&text=two&format=json'),
    get('sms_delete', 'number=0'),
    get('sms_delete', 'number=0'),
    post('sms_delete', 'number=1&format=json'),
    get('sms_list'),
  ];
  for (const [method, path, body] of requests) {
    const answer = await fetchOnce(shim, method, path, body);
    const name = `${method} ${path} ${body.slice(0, 60)} -> ${answer.status} ${answer.body.slice(0, 30).trim()}`;
    t.same(answer, await fetchOnce(builtIn, method, path, body), name);
  }
  const [first, second] = gateways.map(({ modem }) =>
    modem.parts.map(({ number, udh, data }) => ({ number, udh, data })),
  );
  t.same(first, second, 'and the same messages leave');
  t.equal(first?.length, 166);

  await t.test('octets as a user types them, over a raw socket', async (t) => {
    for (const query of ['number=112&text=gr\xc3\xbc\xc3\x9fe', 'number=112&text=gr\xfc\xdfe']) {
      const request = `GET /cgi-bin/sms_send?${login}&${query} HTTP/1.0\r\nHost: x\r\n\r\n`;
      const [a, b] = await Promise.all([builtIn, shim].map((port) => rawRequest(port, request)));
      t.same(a, b);
      t.equal(a?.body, 'OK\n');
    }
    const [mine = [], others = []] = gateways.map(({ modem }) =>
      modem.parts.slice(166).map(({ data }) => Buffer.from(data).toString('hex')),
    );
    t.same(mine, others);
    t.equal(new Set(mine).size, 1, 'as UTF-8 and as Latin-1');
  });
});
