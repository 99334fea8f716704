import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { NOBODY, PASSWORD, SiteRig } from './site-rig.ts';

interface Connected {
  readonly socket: WebSocket;
  /** The next messages, parsed. */
  next(): Promise<Record<string, unknown>>;
  call(object: string, method: string, args?: object): Promise<Record<string, unknown>>;
}

function open(t: Test, rig: SiteRig, headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/rpc`, { headers });
  socket.on('error', () => undefined);
  t.teardown(() => socket.terminate());
  return socket;
}

async function connect(t: Test, rig: SiteRig, headers: Record<string, string> = {}): Promise<Connected> {
  const socket = open(t, rig, headers);
  const messages: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    const waiter = waiting.shift();
    if (waiter === undefined) messages.push(message);
    else waiter(message);
  });
  await once(socket, 'open');
  const next = () =>
    new Promise<Record<string, unknown>>((resolve) => {
      const message = messages.shift();
      if (message === undefined) waiting.push(resolve);
      else resolve(message);
    });
  let id = 0;
  const send = (method: string, params: unknown) => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }));
    return next();
  };
  return { socket, next, call: (object, method, args = {}) => send('call', [object, method, args]) };
}

/** The status of the HTTP answer that refuses a connection. */
async function refusal(socket: WebSocket): Promise<number> {
  const [, response] = await once(socket, 'unexpected-response');
  return response.statusCode;
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code;
}

t.test('login by name and password', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const { socket, call, next } = await connect(t, rig);
  t.match(await call('sms_gateway.message', 'list'), { error: { code: -32002, data: { code: 'access_denied' } } });
  socket.send('{"jsonrpc":"2.0","id":1,"method":"list"}');
  t.match(await next(), { error: { code: -32002 } });
  t.match(await call('session', 'login', { username: 'admin', password: 'wrong' }), { error: { code: -32002 } });
  t.match(await call('session', 'login', { username: 'admin', password: PASSWORD }), {
    result: { ubus_rpc_session: /^[0-9a-f]{32}$/ },
  });
  t.match(await call('sms_gateway.message', 'list', { text: 'x' }), { result: { args: { text: 'x' } } });
  t.match(await call('sms_gateway.message', 'list', { text: 1 }), { error: { code: -32602 } });
  t.match(await call('sms_gateway.cgi', 'request'), { error: { code: -32002 } }, 'rights hold here, too');
  t.match(await call('uci', 'get', { config: 'sms_gateway', section: 'post_get', option: 'username' }), {
    result: { value: 'user1' },
  });
  t.match(await call('uci', 'get', { config: 'sms_gateway', section: 'none' }), { error: { data: { ubus: 4 } } });
  socket.send('[{"jsonrpc":"2.0","id":1,"method":"list"},{"jsonrpc":"2.0","id":2,"method":"list"}]');
  t.match(await next(), [{ id: 1, result: { 'sms_gateway.message': Object } }, { id: 2 }], 'batches');
});

t.test('login by token, by cookie, and from elsewhere', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const sid = await rig.login();
  const byToken = await connect(t, rig, { Authorization: `Bearer ${sid}` });
  t.match(await byToken.call('sms_gateway.message', 'list'), { result: {} });
  const cookie = `sms_gateway_session=${sid}`;
  const host = `http://127.0.0.1:${rig.port}`;
  const byCookie = await connect(t, rig, { Cookie: cookie, Origin: host });
  t.match(await byCookie.call('sms_gateway.message', 'list'), { result: {} });
  t.equal(await refusal(open(t, rig, { Cookie: cookie, Origin: 'http://evil.example' })), 403, 'not from another site');
  t.equal(await refusal(open(t, rig, { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' })), 403);
  t.equal(await refusal(open(t, rig, { Authorization: `Bearer ${NOBODY}` })), 401);
  const plain = await rig.send('GET', '/rpc');
  t.equal(plain.status, 426);
  const ended = [closeCode(byToken.socket), closeCode(byCookie.socket)];
  await rig.call(sid, 'session', 'destroy');
  t.strictSame(await Promise.all(ended), [4001, 4001], 'the end of a session ends its connections');
});

t.test('events', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const { socket, next } = await connect(t, rig, { Authorization: `Bearer ${await rig.login()}` });
  const stranger = await connect(t, rig);
  for (const each of [socket, stranger.socket]) {
    each.send('{"jsonrpc":"2.0","id":1,"method":"subscribe","params":["config.*"]}');
  }
  t.match(await next(), { result: { patterns: ['config.*'] } });
  t.match(await stranger.next(), { result: { patterns: ['config.*'] } });
  rig.bus.emit('config.changed', { sections: ['smpp'] });
  t.match(await next(), { method: 'event', params: ['config.changed', { sections: ['smpp'] }] });
  t.match(await stranger.call('sms_gateway.message', 'list'), { error: {} }, 'who has not logged in hears nothing');
});

t.test('what a client may cost', async (t) => {
  const rig = await SiteRig.start(t);
  await rig.addAdmin();
  const sid = await rig.login();
  const headers = { Authorization: `Bearer ${sid}` };
  const long = await connect(t, rig, headers);
  long.socket.send('x'.repeat(65_537));
  t.equal(await closeCode(long.socket), 1009, 'a message has 64 KiB at most');
  const binary = await connect(t, rig, headers);
  binary.socket.send(Buffer.from('{}'));
  t.equal(await closeCode(binary.socket), 1003);
  const all = await Promise.all(Array.from({ length: 16 }, () => connect(t, rig, headers)));
  t.equal(await refusal(open(t, rig, headers)), 503, 'at most 16 connections');
  const gone = closeCode(all[0]?.socket ?? open(t, rig));
  all[0]?.socket.close();
  await gone;
  const again = await connect(t, rig, headers);
  t.match(await again.call('sms_gateway.message', 'list'), { result: {} });
});
