/**
 * The SMPP server of a whole daemon, without a modem: submit_sm a second until each is on the disk, and memory.
 * Run: npm run build && npx tsx bench/smpp.ts [directory]; the directory should lie on the disk that is meant.
 * Aim: 3,000/s.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Framer, MAX_PDU } from '../src/modules/smpp/esme-connection.ts';
import { bodies, c, ids, pdu, RESPONSE, short, u8 } from '../test/modules/smpp/octets.ts';
import { Daemon, noLimits } from '../test/support/daemon.ts';
import { freePort } from '../test/support/free-port.ts';

const SECONDS = 3;
const WINDOWS = [1, 10, 50];
const SESSIONS = [1, 10];
const TEXT = 'The water in tank 7 stands at 93 %. Pump 2 runs since 14:05. Please confirm.';
/** As init.d starts it. */
const nodeFlags = ['--max-semi-space-size=1', '--optimize-for-size', '--max-old-space-size=64'];

/** A client that has so many submits under way. */
class Client {
  readonly #socket: Socket;
  readonly #framer = new Framer();
  readonly #sent = new Map<number, number>();
  #sequence = 1;
  #answer: (sequence: number, status: number) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#framer.limit = MAX_PDU;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#framer.push(chunk);
      for (let next = this.#framer.next(); next !== undefined; next = this.#framer.next()) {
        if (next.readUInt32BE(4) >= RESPONSE) this.#answer(next.readUInt32BE(12), next.readUInt32BE(8));
      }
    });
  }

  static async bound(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new Client(socket);
    const bound = new Promise<number>((resolve) => {
      client.#answer = (_, status) => resolve(status);
    });
    socket.write(pdu(ids.bind_transceiver, bodies.bind_transceiver));
    const status = await bound;
    if (status !== 0) throw new Error(`bind: status ${status}`);
    return client;
  }

  /** Submits until the time is over; resolves to the ms that each took. */
  submits(window: number, until: number): Promise<readonly number[]> {
    const times: number[] = [];
    return new Promise((resolve, reject) => {
      this.#answer = (sequence, status) => {
        if (status !== 0) return reject(new Error(`submit_sm: status ${status}`));
        times.push(performance.now() - (this.#sent.get(sequence) ?? 0));
        this.#sent.delete(sequence);
        if (performance.now() < until) this.#submit();
        else if (this.#sent.size === 0) resolve(times);
      };
      for (let n = 0; n < window; n++) this.#submit();
    });
  }

  /** Asks without end, and never reads what is answered; resolves when it was cut off. */
  async flood(): Promise<void> {
    this.#socket.pause();
    this.#socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const asks = Buffer.concat(Array.from({ length: 1000 }, () => pdu(ids.enquire_link)));
    const more = () => {
      while (!this.#socket.destroyed && this.#socket.write(asks));
    };
    this.#socket.on('drain', more);
    more();
    await closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #submit(): void {
    const sequence = ++this.#sequence;
    this.#sent.set(sequence, performance.now());
    const number = `3706${String(sequence % 10_000_000).padStart(7, '0')}`;
    const to = [u8(1, 1), c(number)];
    const body = [c(''), u8(5, 0), c('Tank'), ...to, u8(0, 0, 0), c(''), c(''), u8(1, 0, 0, 0), short(TEXT)];
    this.#socket.write(pdu(ids.submit_sm, body, sequence));
  }
}

const percentile = (sorted: readonly number[], share: number) =>
  (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);

function memory(pid: number | undefined): string {
  const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(smaps)?.[1]) / 1024).toFixed(1);
  return `${mb('Rss')} MB resident, ${mb('Private_Dirty')} MB private`;
}

async function measure(port: number, sessions: number, window: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: sessions }, () => Client.bound(port)));
  const begun = performance.now();
  const all = await Promise.all(clients.map((client) => client.submits(window, begun + SECONDS * 1000)));
  const seconds = (performance.now() - begun) / 1000;
  const times = all.flat().sort((a, b) => a - b);
  for (const client of clients) client.close();
  console.log(
    `${String(sessions).padStart(2)} sessions, window ${String(window).padStart(2)}:`,
    `${Math.round(times.length / seconds)}/s, p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`,
  );
}

async function withDaemon(nodeFlags: readonly string[], work: (daemon: Daemon, port: number) => Promise<void>) {
  const port = await freePort();
  const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'smsgw-bench-'));
  const config = `config gateway 'gateway'
	option queue_limit '1000000'
${noLimits}
config smpp 'smpp'
	option enabled '1'
	option port '${port}'
	option max_sessions '100'
	option max_sessions_per_address '100'
`;
  const daemon = new Daemon({ folder, config, nodeFlags });
  try {
    await daemon.start();
    await work(daemon, port);
  } finally {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const sessions of SESSIONS) {
  for (const window of WINDOWS) await withDaemon([], (_, port) => measure(port, sessions, window));
}
await withDaemon(nodeFlags, async ({ pid }, port) => {
  await wait(1_000);
  console.log(`at rest: ${memory(pid)}`);
  const clients: Client[] = [];
  for (let n = 0; n < 50; n++) clients.push(await Client.bound(port));
  await wait(1_000);
  console.log(`50 sessions: ${memory(pid)}`);
  for (const client of clients) client.close();
  const client = await Client.bound(port);
  const begun = performance.now();
  const cut = client.flood();
  await wait(5_000);
  console.log(`a client that never reads, after 5 s: ${memory(pid)}`);
  await cut;
  console.log(`it was cut off after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
});
