import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { SmppClient } from './client.ts';
import { SmppGateway, section } from './gateway.ts';

/** A connection that says nothing, from an address of this machine. */
async function silent(t: Test, port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

t.test('48 silent connections of three addresses keep nobody out', async (t) => {
  const gateway = await SmppGateway.open(t);
  for (let i = 0; i < 48; i++) await silent(t, gateway.port, `127.0.0.${2 + (i % 3)}`);
  for (const localAddress of ['127.0.0.9', '127.0.0.2']) {
    const client = new SmppClient(await silent(t, gateway.port, localAddress));
    t.equal((await client.bind('bind_transceiver')).status, 0, localAddress);
    t.equal((await client.request('enquire_link')).status, 0);
  }
});

t.test('bound sessions keep their places', async (t) => {
  const gateway = await SmppGateway.open(t, { max_sessions: '4', max_sessions_per_address: '4' });
  const bound = await gateway.bound();
  for (let i = 0; i < 40; i++) await silent(t, gateway.port, '127.0.0.2');
  t.equal((await bound.request('enquire_link')).status, 0);
});

t.test('hashed passwords', async (t) => {
  // "password" and "admin01".
  const gateway = await SmppGateway.open(
    t,
    { password: '$1$xxxxxxxx$UYCIxa628.9qXjpQCjM4a.' },
    section('smpp_account', 'second', {
      username: 'second',
      password: '$6$saltstring$adDbXsJjcDlq2662QPgd.tkSOVmnG9Tt3oXl4HR60SusC3AGjirnDenVZp3DGwLwqy6iYKCzannhaX9DR72nN1',
    }),
  );
  for (const [id, password, status] of [
    ['admin', 'password', 0],
    ['admin', 'passwor', 0x0e],
    ['second', 'passwd', 0x0e],
    ['second', 'password', 0],
    ['nobody', 'password', 0x0f],
  ] as const) {
    const client = await gateway.connect();
    t.equal((await client.bind('bind_transmitter', { id, password })).status, status, `${id} ${password}`);
  }
});

t.test('an own bind in between forgives no guesses at another account', async (t) => {
  const gateway = await SmppGateway.open(
    t,
    { max_failures: '3' },
    section('smpp_account', 'own', { username: 'own', password: 'mine' }),
  );
  for (let i = 0; i < 3; i++) {
    const client = await gateway.connect();
    t.equal((await client.bind('bind_transmitter', { password: `guess${i}` })).status, 0x0e);
    t.equal((await client.bind('bind_transmitter', { id: 'own', password: 'mine' })).status, i < 2 ? 0 : 0x0d);
    client.destroy();
  }
});
