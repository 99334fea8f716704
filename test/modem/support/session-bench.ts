import { parsePhoneNumber } from '../../../src/base/phone-number.ts';
import type { ModemConfig } from '../../../src/config/config.ts';
import { ModemSession, type ModemSessionOptions } from '../../../src/modem/session.ts';
import type { ModemStatus } from '../../../src/modem/status.ts';
import { SimulatedModem, type SimulatorOptions } from '../../../src/simulator/index.ts';
import { segment, userDataText } from '../../../src/sms/index.ts';
import type { PartReport, PartToSend, SendOutcome } from '../../../src/store/sender.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingLog } from './peer.ts';

export const modemConfig: ModemConfig = {
  section: 'gsm0',
  enabled: true,
  device: 'sim',
  baudrate: 115_200,
  rtscts: false,
  init: [],
  reset_command: [],
  at_commands: 'read',
  storage: 'auto',
  delivery: 'store',
  reports: true,
  send_interval: 0,
  daily_limit: 0,
  network_timeout: 300,
  sweep_interval: 300,
  watchdog: 30,
  sim_answer: false,
};

interface BenchOptions {
  /** Of the log that it keeps; `info` when absent. */
  readonly level?: 'debug' | 'info';
  readonly simulator?: SimulatorOptions;
  readonly config?: Partial<ModemConfig>;
  readonly session?: Partial<ModemSessionOptions>;
  /** A bench whose modem and clock it takes over: the next run of the gateway. */
  readonly after?: SessionBench;
  /** Rejects what the store must not take. */
  readonly store?: () => Promise<void>;
}

/** A session on a simulated modem, with time in the hands of the test. */
export class SessionBench {
  readonly clock: ManualClock;
  readonly modem: SimulatedModem;
  readonly session: ModemSession;
  readonly texts: string[] = [];
  readonly reports: PartReport[] = [];
  readonly states: string[] = [];
  readonly log: readonly string[];

  constructor({ simulator, config, session, after, level, store = async () => {} }: BenchOptions = {}) {
    this.clock = after?.clock ?? new ManualClock();
    this.modem = after?.modem ?? new SimulatedModem({ clock: this.clock, ...simulator });
    const { log, lines } = recordingLog(level);
    this.log = lines;
    this.session = new ModemSession({
      name: 'gsm0',
      config: { ...modemConfig, ...config },
      clock: this.clock,
      log,
      inbound: {
        deliver: async (_pdu, deliver) => {
          await store();
          if (deliver === undefined) throw new Error('not readable');
          this.texts.push(userDataText(deliver.dcs, deliver.userData));
        },
        report: async (report) => {
          await store();
          this.reports.push(report);
        },
        changed: ({ state }: ModemStatus) => {
          if (this.states.at(-1) !== state) this.states.push(state);
        },
      },
      bindings: { simulator: () => this.modem.connect() },
      ...session,
    });
  }

  /** Starts the session and waits until it is ready. */
  async ready(): Promise<this> {
    this.session.start();
    await this.until(() => this.session.ready);
    return this;
  }

  /** Lets time pass in steps of `step` ms until the condition holds. Throws when it does not within `limit` ms. */
  async until(condition: () => boolean, limit = 180_000, step = 50): Promise<void> {
    const end = this.clock.monotonic() + limit;
    while (!condition()) {
      if (this.clock.monotonic() >= end) throw new Error(`not within ${limit} ms: ${condition}; ${this.#situation}`);
      await this.clock.advance(step);
    }
  }

  /** As `until`, for what waits for the disk: that takes real time, which stands still for the session meanwhile. */
  async untilWritten(condition: () => boolean): Promise<void> {
    const end = performance.now() + 60_000;
    while (!condition()) {
      if (performance.now() >= end) throw new Error(`not within 60 s: ${condition}; ${this.#situation}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      await this.clock.advance(10);
    }
  }

  /** Sends one part and lets time pass until it has ended. */
  async send(number = '+37060000001', text = 'hello', signal = new AbortController().signal): Promise<SendOutcome> {
    let outcome: SendOutcome | undefined;
    void this.session.send(partOf(number, text), signal).then((ended) => {
      outcome = ended;
    });
    await this.until(() => outcome !== undefined);
    if (outcome === undefined) throw new Error('no outcome');
    return outcome;
  }

  async stop(): Promise<void> {
    await this.stopSession();
    this.modem.stop();
  }

  async stopSession(): Promise<void> {
    let stopped = false;
    void this.session.stop().then(() => {
      stopped = true;
    });
    await this.until(() => stopped);
  }

  get #situation(): string {
    return JSON.stringify({ status: this.session.status(), states: this.states, texts: this.texts.length });
  }
}

export function partOf(number: string, text: string): PartToSend {
  const { dcs, parts } = segment(text);
  const [part] = parts;
  const to = parsePhoneNumber(number);
  if (part === undefined || to === undefined) throw new Error('not a part');
  return { number: to, dcs, pid: 0, udh: part.udh, data: part.data, report: true, validity: 172_800 };
}

/** Gives a simulated modem commands by hand, as somebody with a terminal does, and hangs up. Resolves to what it said. */
export async function byHand(modem: SimulatedModem, clock: ManualClock, ...writes: readonly string[]): Promise<string> {
  const stream = modem.connect();
  let heard = '';
  stream.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  for (const text of writes) {
    stream.write(Buffer.from(text, 'latin1'));
    await clock.advance(100);
  }
  modem.detach();
  return heard;
}
