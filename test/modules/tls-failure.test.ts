import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock as clock } from '../../src/base/clock.ts';
import { describeError } from '../../src/base/errors.ts';
import { plainOpenSsl } from '../../src/base/openssl.ts';
import { exchange } from '../../src/modules/kit/exchange.ts';
import { Mailer } from '../../src/modules/kit/mailer.ts';
import { connectionFailure, tlsOptions } from '../../src/modules/kit/tls.ts';
import { Broker } from '../../src/modules/mqtt/broker.ts';
import { Pop3Client } from '../../src/modules/pop3/pop3-client.ts';

const OWN = '80DCA9033F7F0000:error:';
const PLACE = '../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:';
const alert = (reason: string, number: number) =>
  `${OWN}0A000410:SSL routines:ssl3_read_bytes:${reason}:${PLACE}SSL alert number ${number}\n`;

t.test('errors of OpenSSL lose what says nothing', async (t) => {
  const cases = [
    [alert('sslv3 alert bad record mac', 20), 'sslv3 alert bad record mac'],
    [`write EPROTO ${alert('tlsv1 alert internal error', 80)}`, 'tlsv1 alert internal error'],
    [
      `${OWN}0A000139:SSL routines::record layer failure:a.c:1:\n${OWN}0A0000F4:SSL routines:f:unexpected message:a.c:2:\n`,
    ],
    ['error:0480006C:PEM routines::no start line', 'no start line'],
    ['connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
    ['an error: of another kind', 'an error: of another kind'],
  ] as const;
  for (const [text, plain = 'record layer failure, unexpected message'] of cases) {
    t.equal(plainOpenSsl(text), plain);
    t.equal(describeError(new Error(text)), plain);
    t.equal(connectionFailure(new Error(text), 'x'), plain);
  }
});

t.test('what is to be done stands in the words of whoever has to do it', async (t) => {
  for (const [reason, number, words] of [
    ['sslv3 alert handshake failure', 40, /no cipher for both/],
    ['ssl/tls alert handshake failure', 40, /no cipher for both/],
    ['tlsv1 alert protocol version', 70, /no TLS 1\.2 or newer/],
    ['tlsv13 alert certificate required', 116, /wants a client certificate/],
    ['tlsv1 alert unknown ca', 48, /does not trust the client certificate/],
    ['sslv3 alert certificate expired', 45, /the client certificate has expired/],
    ['tlsv1 unrecognized name', 112, /no certificate for the name/],
    ['packet length too long', 22, /does not speak TLS on this port: x$/],
  ] as const) {
    t.match(connectionFailure(new Error(alert(reason, number)), 'x'), words);
  }
});

/** A server without TLS, which greets as it is told, or closes when it hears something. */
async function plainServer(t: Test, greeting: string | undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (greeting !== undefined) socket.write(greeting);
    else socket.on('data', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const host = '127.0.0.1';
const signal = new AbortController().signal;
const trust = { ssl_verify: false };
const timeout = 30_000;
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => describeError(error),
  );

/** Each client over TLS at a port without it: the text that it shows. */
const clients: Readonly<Record<string, (port: number) => Promise<string>>> = {
  POP3: async (port) => {
    const tls = await tlsOptions(host, trust);
    const login = { username: 'u', password: 'p', security: 'tls' } as const;
    return failureOf(Pop3Client.open({ ...login, host, port, tls, timeout, clock }, signal));
  },
  SMTP: async (port) => {
    const server = { smtpip: host, smtpport: port, secureconnection: true, tls: 'implicit', timeout: 30, ...trust };
    const mailer = new Mailer({ ...server, senderemail: 'a@b.c' } as never, clock);
    const mail = { to: 'd@e.f', subject: '', text: '', messageId: '<a@b.c>', automatic: 'auto-generated' } as const;
    const outcome = await mailer.send(mail, signal);
    return outcome.type === 'retry' ? outcome.reason : outcome.type;
  },
  MQTT: async (port) => {
    const tls = await tlsOptions(host, trust);
    const options = { clientId: 'x', keepalive: 60, session: 0, version: 5, timeout, clock } as const;
    return failureOf(Broker.connect({ ...options, host, port, tls }, signal));
  },
  HTTPS: (port) => {
    const request = { method: 'GET', url: new URL(`https://${host}:${port}/`), headers: [], secret: [] } as const;
    return failureOf(exchange(request, { timeout, verify: false, clock, signal }));
  },
};

t.test('TLS to a server without it', async (t) => {
  for (const [name, talk] of Object.entries(clients)) {
    const greeted = await talk(await plainServer(t, '220 ready, and more than five octets\r\n'));
    t.match(greeted, /does not speak TLS on this port: the port is wrong/, name);
    const closed = await talk(await plainServer(t, undefined));
    t.match(closed, /closed the connection when TLS began, perhaps/, name);
    for (const text of [greeted, closed]) t.notMatch(text, /\n|routines|\.c:|[0-9A-F]{8}/, name);
  }
});
