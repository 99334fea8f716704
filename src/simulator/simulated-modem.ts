import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { systemClock } from '../base/clock.ts';
import { fromHex } from '../sms/index.ts';
import { AtEngine } from './at/engine.ts';
import { ModemCore } from './core.ts';
import { wireFaults } from './fault-wiring.ts';
import { Faults } from './faults.ts';
import type { IncomingMessage, NetworkCounters, SentMessage, SentPart } from './messages.ts';
import { noLatency, type SimulatorOptions, toTheStandard } from './options.ts';
import type { RegistrationState } from './radio.ts';
import { duplexPair, SerialLine } from './serial-line.ts';
import { Timers } from './timers.ts';

interface SimulatorEvents {
  /** A whole message left for the network. */
  sent: [SentMessage];
  /** One SMS-SUBMIT was taken by the network. */
  part: [SentPart];
  /** The port came back after `port_gone`. */
  plugged: [];
}

/** A modem with its SIM and a small network around it. It keeps running while no stream is attached, as a real one does. */
export class SimulatedModem extends EventEmitter<SimulatorEvents> {
  readonly faults: Faults = new Faults();
  readonly #timers: Timers;
  readonly #core: ModemCore;
  readonly #engine: AtEngine;
  readonly #line: SerialLine;
  #deaf = false;
  #spoke: number | undefined;

  constructor(options: SimulatorOptions = {}) {
    super();
    const clock = options.clock ?? systemClock;
    this.#timers = new Timers(clock);
    this.#line = new SerialLine(this.#timers, (octets) => {
      if (!this.#deaf) this.#engine.input(octets);
    });
    this.#core = new ModemCore(options, {
      clock,
      timers: this.#timers,
      latency: { ...noLatency, ...options.latency },
      deviations: { ...toTheStandard, ...options.deviations },
      faults: this.faults,
      listener: {
        code: (text) => {
          this.#spoke = Number(process.hrtime.bigint()) / 1e6;
          this.#engine.code(text);
        },
        part: (part) => this.emit('part', part),
        sent: (message) => this.emit('sent', message),
        died: () => {
          this.#deaf = true;
          this.#engine.reset();
        },
        booted: () => {
          this.#deaf = false;
        },
      },
    });
    this.#engine = new AtEngine(this.#core, (octets) => {
      if (!this.#core.mute) this.#line.write(octets);
    });
    wireFaults(this.#core, this.#line, () => this.emit('plugged'));
    this.#core.powerOn();
  }

  /** False while the port is gone: `attach` and `connect` throw GatewayError connection_failed then. */
  get plugged(): boolean {
    return this.#line.plugged;
  }

  /**
   * When it last had an unsolicited code for the host, ms of the system's monotonic clock, which all processes share: what comes
   * of the code elsewhere is measured from then.
   */
  get spoke(): number | undefined {
    return this.#spoke;
  }

  get counters(): NetworkCounters {
    return this.#core.network.counters;
  }

  /** Puts the modem on a byte stream, which it destroys when its port goes. A stream before is detached. */
  attach(stream: Duplex): void {
    this.#line.attach(stream);
  }

  /** Takes the modem off its stream, which stays open. Settings, storages and a waiting prompt are kept. */
  detach(): void {
    this.#line.detach();
  }

  /** An in-process serial line to the modem: the host's end of it. */
  connect(): Duplex {
    const [host, modem] = duplexPair();
    this.attach(modem);
    return host;
  }

  /** Somebody sends a SMS to the modem's number. Long texts come in parts. Throws SmsError, GatewayError queue_full. */
  receive(message: IncomingMessage): void {
    this.#core.network.send(message);
  }

  /** A TPDU with its SMSC field in front, hexadecimal, arrives as it is. Throws SmsError, GatewayError queue_full. */
  receivePdu(hex: string): void {
    this.#core.network.push(fromHex(hex));
  }

  /** The last 1,000 messages sent, oldest first. */
  sent(): readonly SentMessage[] {
    return this.#core.network.log.messages;
  }

  /** The last 10,000 parts sent, oldest first. */
  sentParts(): readonly SentPart[] {
    return this.#core.network.log.parts;
  }

  /** What the network makes of the modem. It sends the codes that +CREG asked for. */
  setRegistration(state: RegistrationState): void {
    this.#core.radio.setNetwork(state);
  }

  /** Signal as +CSQ gives it: 0 to 31, 99 for unknown. */
  setSignal(csq: number): void {
    this.#core.radio.signal = csq;
  }

  /** Ends every timer and takes the modem off its stream. */
  stop(): void {
    this.#line.detach();
    this.#engine.reset();
    this.#core.powerOff();
    this.#timers.clear();
  }
}
