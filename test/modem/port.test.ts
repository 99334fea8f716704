import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/base/clock.ts';
import { GatewayError } from '../../src/base/errors.ts';
import { openPort } from '../../src/modem/port/open-port.ts';
import type { ModemPort, PortBindings, PortOptions } from '../../src/modem/port/port.ts';
import { ModemSession } from '../../src/modem/session.ts';
import { SimulatedModem } from '../../src/simulator/index.ts';
import { decodePdu, segment, userDataText } from '../../src/sms/index.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { missingPrograms } from '../support/programs.ts';
import { silentLog } from './support/peer.ts';
import { modemConfig, partOf } from './support/session-bench.ts';

const { signal } = new AbortController();

const options = (bindings?: PortBindings): PortOptions => ({
  baudrate: 115_200,
  rtscts: false,
  clock: systemClock,
  log: silentLog,
  bindings,
});

/** The error code of what failed. */
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => (error instanceof GatewayError ? `${error.code}: ${error.message}` : String(error)),
  );

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() >= end) throw new Error(`not within 60 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A TCP server on a free port, gone with the test. */
async function serve(t: Test, connected: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

/** What a port says, and why it ended. */
function listen(port: ModemPort): { heard: string; closed: string[] } {
  const state = { heard: '', closed: [] as string[] };
  port.listen({
    data: (chunk) => {
      state.heard += Buffer.from(chunk).toString('latin1');
    },
    closed: (reason) => void state.closed.push(reason),
  });
  return state;
}

t.test('tcp', async (t) => {
  const sockets: Socket[] = [];
  const { port } = await serve(t, (socket) => {
    sockets.push(socket);
    socket.on('data', (chunk) => socket.write(`heard ${chunk}`));
  });
  const open = await openPort(`tcp://127.0.0.1:${port}`, options(), signal);
  t.equal(open.path, `tcp://127.0.0.1:${port}`);
  const state = listen(open);
  await open.write(Buffer.from('AT\r'));
  await until(() => state.heard === 'heard AT\r', 'an echo');
  sockets[0]?.end();
  await until(() => state.closed.length > 0, 'the close');
  t.equal(
    await failure(open.write(Buffer.from('AT\r'))),
    'connection_failed: cannot write: the other side closed the port',
  );
  await open.close();
  t.equal(state.closed.length, 1, 'once');
  const late = listen(open);
  await until(() => late.closed.length === 1, 'a listener that comes late hears of it');

  const other = await openPort(`tcp://127.0.0.1:${port}`, options(), signal);
  const quiet = listen(other);
  await other.close();
  t.same(quiet.closed, [], 'who closes hears nothing');
  t.match(
    await failure(openPort('tcp://127.0.0.1:1', options(), signal)),
    /^connection_failed: cannot connect to tcp:/,
  );
  t.match(await failure(openPort('tcp://[::1]:1', options(), signal)), /^connection_failed: .*\[::1\]:1/);
  const given = new AbortController();
  const opening = failure(openPort(`tcp://127.0.0.1:${port}`, options(), given.signal));
  given.abort(new Error('given up'));
  t.equal(await opening, 'Error: given up');
  t.equal(await failure(openPort('sim', options(), given.signal)), 'Error: given up');
});

t.test('a server that does not take the connection', async (t) => {
  let expire = () => {};
  const clock = {
    ...systemClock,
    after: (_ms: number, callback: () => void) => {
      expire = callback;
      return () => {};
    },
  };
  // An address of TEST-NET-1 (RFC 5737): nobody answers.
  const opening = failure(openPort('tcp://192.0.2.1:2000', { ...options(), clock }, signal));
  setImmediate(() => expire());
  t.match(await opening, /^connection_failed: cannot connect/);
});

t.test('sim', async (t) => {
  t.match(await failure(openPort('sim', options(), signal)), /^connection_failed/);
  const modem = new SimulatedModem();
  const port = await openPort('sim', options({ simulator: () => modem.connect() }), signal);
  const state = listen(port);
  await port.write(Buffer.from('ATE0\r'));
  await until(() => state.heard.includes('OK'), 'an OK');
  modem.faults.add({ type: 'port_gone', ms: 50 });
  await until(() => state.closed.length === 1, 'the close');
  t.match(await failure(openPort('sim', options({ simulator: () => modem.connect() }), signal)), /^connection_failed/);
  modem.stop();
});

t.test('serial: no such device', async (t) => {
  const path = join(testFolder(t), 'ttyUSB0');
  t.match(await failure(openPort(path, options(), signal)), /^connection_failed: .*ttyUSB0 does not exist/);
});

const skip = missingPrograms(['socat'], 'socat');

/**
 * A pty at `path` whose other end is a TCP port; ends when it is killed, or when the pty is closed. The connection comes
 * first: a session that opens the pty before it would find it mute, close it, and so end it.
 */
async function pty(t: Test, path: string, port: number): Promise<ChildProcess> {
  const socat = spawn('socat', [`TCP:127.0.0.1:${port}`, `PTY,link=${path},raw,echo=0`], { stdio: 'ignore' });
  t.teardown(() => socat.kill());
  await until(() => existsSync(path), path);
  return socat;
}

t.test('a session over a serial port that goes and comes back', { skip }, async (t) => {
  // Timers of the session do not keep the process alive; neither does a port that is away.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const modem = new SimulatedModem();
  t.teardown(() => modem.stop());
  const { port } = await serve(t, (socket) => modem.attach(socket));
  const device = join(testFolder(t), 'modem');
  const first = await pty(t, device, port);
  const texts: string[] = [];
  const session = new ModemSession({
    name: 'gsm0',
    config: { ...modemConfig, device },
    clock: systemClock,
    log: silentLog,
    inbound: {
      deliver: async (pdu) => {
        const { tpdu } = decodePdu(pdu, 'to-mobile');
        if (tpdu.type === 'deliver') texts.push(userDataText(tpdu.dcs, tpdu.userData));
      },
      report: async () => {},
      changed: () => {},
    },
  });
  session.start();
  t.teardown(() => session.stop());
  await until(() => session.ready, 'ready');

  const text = `Ačiū, ${'€ ąžuolas 🌳 '.repeat(30)}`;
  const { dcs, parts } = segment(text, { reference: 7 });
  const { number } = partOf('+37060000001', 'x');
  for (const { udh, data } of parts) {
    const part = { number, dcs, pid: 0, udh, data, report: true, validity: 172_800 };
    t.match(await session.send(part, signal), { type: 'accepted' });
  }
  t.equal(modem.sent()[0]?.text, text);
  modem.receive({ from: '+37060000001', text: 'over the line' });
  await until(() => texts.length === 1, 'a message');

  first.kill();
  await until(() => session.status().state === 'opening', 'the loss');
  modem.receive({ from: '+37060000001', text: 'while away' });
  t.match(await session.send(partOf('+37060000001', 'x'), signal), { type: 'unavailable' });
  await until(() => !existsSync(device), 'the device to go');
  await pty(t, device, port);
  await until(() => session.ready && texts.includes('while away'), 'ready again');
  // One that was not deleted yet when the port went is handed over again: the store knows it.
  t.same([...new Set(texts)], ['over the line', 'while away']);
  t.match(await session.send(partOf('+37060000001', 'again'), signal), { type: 'accepted' });
  await session.stop();
});

/** Stops the other end of a pty until the test goes on, so that its driver takes a few octets and no more. */
async function heldUp(t: Test, clock: PortOptions['clock']) {
  let heard = '';
  const { port: tcp } = await serve(t, (socket) => {
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
  });
  const device = join(testFolder(t), 'modem');
  const socat = await pty(t, device, tcp);
  const port = await openPort(device, { ...options(), clock }, signal);
  t.teardown(() => port.close());
  listen(port);
  socat.kill('SIGSTOP');
  t.teardown(() => socat.kill('SIGCONT'));
  return { port, heard: () => heard, goOn: () => socat.kill('SIGCONT'), vanish: () => socat.kill('SIGKILL') };
}

t.test('serial: what the driver does not take at once goes out in its order', { skip }, async (t) => {
  const { port, heard, goOn } = await heldUp(t, systemClock);
  const numbered = Array.from({ length: 40_000 }, (_, n) => `${n} `).join('');
  let isOut = false;
  const long = port.write(Buffer.from(numbered)).then(() => {
    isOut = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.notOk(isOut, 'a write ends when all of it is out');
  goOn();
  // Some of these find room in the driver while the rest of the long one waits.
  const short: Promise<void>[] = [];
  do {
    short.push(port.write(Buffer.from('AT\r')));
    await new Promise((resolve) => setImmediate(resolve));
  } while (!isOut);
  await Promise.all([long, ...short]);
  const all = numbered + 'AT\r'.repeat(short.length);
  await until(() => heard().length >= all.length, 'all octets');
  t.ok(heard() === all, 'each octet once, in order');
  await port.write(Buffer.from('AT+CSQ\r'));
  await until(() => heard().endsWith('AT\rAT+CSQ\r'), 'the next command');
});

t.test('serial: a driver that takes nothing', { skip }, async (t) => {
  const clock = new ManualClock();
  const { port } = await heldUp(t, clock);
  const late = failure(port.write(Buffer.alloc(200_000, 'x')));
  await until(() => clock.waits(10_000), 'the deadline');
  await clock.advance(10_000);
  t.equal(await late, 'connection_failed: cannot write: the port takes nothing for 10 s');
  const waits = failure(port.write(Buffer.from('AT\r')));
  const closed = port.close();
  t.equal(await waits, 'connection_failed: cannot write: the port was closed');
  // The driver hangs in it.
  await clock.advance(1_000);
  await closed;
  t.equal(await failure(port.write(Buffer.from('AT\r'))), 'connection_failed: cannot write: closed');
});

t.test('serial: a port that goes while octets wait for it', { skip }, async (t) => {
  const { port, vanish } = await heldUp(t, systemClock);
  const state = listen(port);
  const waits = [failure(port.write(Buffer.alloc(200_000, 'x'))), failure(port.write(Buffer.from('AT\r')))];
  vanish();
  for (const reason of await Promise.all(waits)) t.match(reason, /^connection_failed: cannot write: /);
  await until(() => state.closed.length > 0, 'the close');
  t.equal(state.closed.length, 1, 'once');
  t.match(state.closed[0], /^the port disappeared: /);
  t.match(await failure(port.write(Buffer.from('AT\r'))), /^connection_failed: cannot write: the port disappeared/);
});

/** What a program prints that opens the pty and has the listener; its modem says a line, and goes when a line comes back. */
async function programOn(t: Test, listener: string): Promise<string> {
  const { port: tcp } = await serve(t, (socket) => {
    socket.on('data', () => socket.destroy());
    setTimeout(() => socket.write('RING\r\n'), 1_000);
  });
  const device = join(testFolder(t), 'modem');
  await pty(t, device, tcp);
  const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
  const program = `
    import { openPort } from ${source('modem/port/open-port.ts')};
    import { systemClock } from ${source('base/clock.ts')};
    process.on('uncaughtException', (error) => console.log('uncaught:', error.message));
    setTimeout(() => process.exit(), 4_000);
    const log = { debug() {}, info() {}, warning() {}, error() {} };
    const options = { baudrate: 115200, rtscts: false, clock: systemClock, log };
    const port = await openPort(${JSON.stringify(device)}, options, new AbortController().signal);
    port.listen(${listener});`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code, by] = await once(child, 'close');
  return `${output}ended by ${code ?? by}`;
}

t.test('serial: a fault of who listens is no fault of the port, nor the end of the process', { skip }, async (t) => {
  t.equal(
    await programOn(
      t,
      `{
        data: (chunk) => {
          if (!String(chunk).includes('RING')) return;
          void port.write(Buffer.from('AT'));
          throw new Error('in data');
        },
        closed: (reason) => {
          console.log(reason);
          throw new Error('in closed');
        },
      }`,
    ),
    'uncaught: in data\nthe port disappeared: bad file descriptor\nuncaught: in closed\nended by 0',
  );
});

t.test('serial: nothing stays in memory of a port that was closed', { skip }, async (t) => {
  const { port: tcp } = await serve(t, () => {});
  const device = join(testFolder(t), 'modem');
  await pty(t, device, tcp);
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  for (let n = 0; n < 20; n++) {
    const port = await openPort(device, options(), signal);
    listen(port);
    registry.register(port, undefined);
    await port.close();
  }
  await until(() => {
    gc();
    return collected >= 19;
  }, 'the ports to be collected');
});

t.test('auto: the first port that answers', { skip }, async (t) => {
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const root = testFolder(t, { sysfs: {}, dev: {} });
  const [sysfs, dev] = [join(root, 'sysfs'), join(root, 'dev')];
  const bindings = { sysfs, dev };
  t.match(await failure(openPort('auto', options(bindings), signal)), /found no modem: there is no USB serial port/);
  for (const name of ['ttyS0', 'ttyUSB2', 'ttyUSB10', 'ttyACM3'])
    mkdirSync(join(sysfs, name, 'device'), { recursive: true });
  // Without hardware behind it.
  mkdirSync(join(sysfs, 'ttyUSB1'));
  t.match(await failure(openPort('auto', options(bindings), signal)), /none of ttyUSB2, ttyACM3, ttyUSB10 answers/);

  const modem = new SimulatedModem();
  t.teardown(() => modem.stop());
  const mute = await serve(t, () => {});
  const talking = await serve(t, (socket) => modem.attach(socket));
  await pty(t, join(dev, 'ttyUSB2'), mute.port);
  await pty(t, join(dev, 'ttyUSB10'), talking.port);
  const port = await openPort('auto', options(bindings), signal);
  t.equal(port.path, join(dev, 'ttyUSB10'));
  const state = listen(port);
  await port.write(Buffer.from('AT\r'));
  await until(() => state.heard.includes('OK'), 'an OK');
  await port.close();
});
