/**
 * The attackers, a process of their own: `attacks.ts NAME TARGET`, with the doors as JSON. Each stays within a number of
 * connections and seconds, and reaches the loopback interface only, from many addresses of it.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { c, ids, pdu, u8 } from '../modules/smpp/octets.ts';

export interface Target {
  /** TCP ports of the loopback interface. */
  readonly http: number;
  readonly smpp: number;
  readonly socket: string;
  readonly seconds: number;
  /** Connections, in the attack that is about their number. */
  readonly connections: number;
}

type Door = 'http' | 'smpp' | 'socket';

let opened = 0;

/** A connection that the other end may refuse or end at any time. `onOpen` is called once it stands. */
function open(target: Target, door: Door, onOpen: (socket: Socket) => void): Socket {
  opened += 1;
  const from = `127.1.${(opened >> 6) % 200}.${1 + (opened % 200)}`;
  const socket =
    door === 'socket' ? connect(target.socket) : connect({ host: '127.0.0.1', port: target[door], localAddress: from });
  socket.on('error', () => undefined);
  socket.on('connect', () => onOpen(socket));
  return socket;
}

/** Holds so many connections open until the end: a new one in the place of each that is closed, ten a second of each. */
async function hold(target: Target, door: Door, count: number, onOpen: (socket: Socket) => void): Promise<void> {
  const end = Date.now() + target.seconds * 1000;
  const held: Socket[] = [];
  const keep = async () => {
    while (Date.now() < end) {
      const socket = open(target, door, onOpen);
      socket.resume();
      held.push(socket);
      while (!socket.destroyed && Date.now() < end) await wait(100);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: count }, keep));
}

/** An octet now and then. */
function drip(socket: Socket, octets: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || at === octets.length) return clearInterval(timer);
    socket.write(octets.subarray(at, ++at));
  }, 300);
  socket.on('close', () => clearInterval(timer));
}

const header = Buffer.from(`GET /cgi-bin/sms_list HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(500)}`);
const bind = pdu(ids.bind_transceiver, [c('user'), c('wrong'), c(''), u8(0x34, 0, 0), c('')]);
const line = Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"call","params":["${'x'.repeat(500)}`);

/** A login a turn, the turns spread evenly. */
async function guesses(target: Target, perSecond: number): Promise<void> {
  const end = Date.now() + target.seconds * 1000;
  const ready: Socket[] = [];
  const lanes = Array.from({ length: 40 }, () => undefined);
  let made = 0;
  const fill = () => {
    const socket = open(target, 'http', (it) => ready.push(it));
    socket.on('data', () => ready.push(socket));
    socket.on('close', () => {
      const at = ready.indexOf(socket);
      if (at >= 0) ready.splice(at, 1);
      if (Date.now() < end) setTimeout(fill, 50);
    });
  };
  lanes.forEach(fill);
  while (Date.now() < end) {
    for (let n = 0; n < perSecond / 20; n++) {
      const socket = ready.shift();
      if (socket === undefined) break;
      made += 1;
      socket.write(`GET /cgi-bin/sms_list?username=user&password=wrong${made} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    }
    await wait(50);
  }
  console.log(`${made} logins`);
}

/** Asks for much and reads nothing. */
function deaf(what: string | Buffer): (socket: Socket) => void {
  return (socket) => {
    socket.pause();
    const timer = setInterval(() => {
      if (socket.destroyed) return clearInterval(timer);
      if (socket.writableLength < 200_000) for (let n = 0; n < 20; n++) socket.write(what);
    }, 20);
    socket.on('close', () => clearInterval(timer));
  };
}

const page = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const list = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'list', params: [] })}\n`;

/** So many connections in all, 400 at a time, that say nothing. */
async function crowd(target: Target): Promise<void> {
  const end = Date.now() + target.seconds * 1000;
  let left = target.connections;
  const come = async (door: Door) => {
    while (left > 0 && Date.now() < end) {
      left -= 1;
      const socket = open(target, door, () => undefined);
      for (let waited = 0; waited < 500 && !socket.destroyed; waited += 50) await wait(50);
      socket.destroy();
    }
  };
  await Promise.all(
    Array.from({ length: 400 }, (_, n) => come((['http', 'smpp', 'socket'] as const)[n % 3] ?? 'http')),
  );
  console.log(`${opened} connections`);
}

export const attacks = {
  'slow-http': (target) => hold(target, 'http', 200, (socket) => drip(socket, header)),
  'slow-smpp': (target) => hold(target, 'smpp', 100, (socket) => drip(socket, bind)),
  'slow-socket': (target) => hold(target, 'socket', 200, (socket) => drip(socket, line)),
  crowd,
  'deaf-http': (target) => hold(target, 'http', 30, deaf(page)),
  'deaf-socket': (target) => hold(target, 'socket', 30, deaf(list)),
  'deaf-smpp': (target) => hold(target, 'smpp', 15, deaf(pdu(ids.enquire_link))),
  guesses: (target) => guesses(target, 1_000),
} as const satisfies Readonly<Record<string, (target: Target) => Promise<void>>>;

export type AttackName = keyof typeof attacks;

const isAttack = (name: string): name is AttackName => Object.hasOwn(attacks, name);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [name = '', target = ''] = process.argv.slice(2);
  if (!isAttack(name)) throw new Error(`no attack ${name}`);
  await attacks[name](JSON.parse(target) as Target);
  process.exit(0);
}
