import type { Clock } from '../base/clock.ts';
import type { Faults } from './faults.ts';
import { MessageMemory } from './message-memory.ts';
import type { SentMessage, SentPart } from './messages.ts';
import { Network, Subscriber } from './network.ts';
import type { Deviations, Latency, MemorySizes, SimulatorOptions } from './options.ts';
import { Radio, registrationText } from './radio.ts';
import { Receiver } from './receiver.ts';
import { freshSettings, type Settings, type StorageName } from './settings.ts';
import { SimCard } from './sim-card.ts';
import type { Timers } from './timers.ts';
import { UssdService } from './ussd.ts';

/** Who hears of the modem's unsolicited codes and of its reboots. */
export interface CoreListener {
  /** An unsolicited result code, without CR and LF around it. */
  code(text: string): void;
  /** The modem lost its power: what was typed or running is gone. It is deaf until `booted`. */
  died(): void;
  booted(): void;
  /** The network took a part; a whole message. */
  part(part: SentPart): void;
  sent(message: SentMessage): void;
}

export interface CoreParts {
  readonly clock: Clock;
  readonly latency: Latency;
  readonly deviations: Deviations;
  readonly faults: Faults;
  readonly timers: Timers;
  readonly listener: CoreListener;
}

const sizes: MemorySizes = { SM: 30, ME: 100, SR: 20 };

/** The modem behind the AT interpreter: what the commands act on. */
export class ModemCore {
  readonly clock: Clock;
  readonly latency: Latency;
  readonly deviations: Deviations;
  readonly faults: Faults;
  readonly timers: Timers;
  readonly network: Network;
  readonly sim: SimCard;
  readonly memories: Readonly<Record<StorageName, MessageMemory>>;
  readonly radio: Radio;
  readonly receiver: Receiver;
  readonly ussd: UssdService;
  readonly imei: string;
  settings: Settings = freshSettings();
  /** Cause with which what needs the SIM is refused while it is busy. */
  busy: number | undefined;
  /** Cause with which +CMGL is refused; 0: it lists nothing. */
  noListing: number | undefined;
  /** Cause with which the SIM fails until the radio was switched off. */
  simFailed: number | undefined;
  storesNowhere = false;
  /** Says nothing until the next start. */
  mute = false;
  /** Cause with which every message is refused; until the next start. */
  refusing: number | undefined;
  /** Grows with each loss of power, which ends what is under way. */
  boots = 0;
  readonly #listener: CoreListener;
  #booting: (() => void) | undefined;

  constructor(options: SimulatorOptions, parts: CoreParts) {
    this.clock = parts.clock;
    this.latency = parts.latency;
    this.deviations = parts.deviations;
    this.faults = parts.faults;
    this.#listener = parts.listener;
    this.timers = parts.timers;
    this.network = this.#network(options);
    this.imei = options.imei ?? '356938035643809';
    const memory = typeof options.memory === 'number' ? { SM: options.memory } : options.memory;
    const { SM, ME, SR } = { ...sizes, ...memory };
    this.sim = new SimCard({
      present: options.sim ?? true,
      pin: options.pin,
      puk: options.puk ?? '12345678',
      imsi: options.imsi ?? '001010000000001',
      iccid: options.iccid ?? '8999010000000000014',
      number: this.network.number,
      smsc: this.network.smsc,
      memory: SM,
      indexBase: this.deviations.indexBase,
    });
    this.memories = {
      SM: this.sim.messages,
      ME: new MessageMemory(ME, this.deviations.indexBase),
      SR: new MessageMemory(SR, this.deviations.indexBase),
    };
    this.receiver = new Receiver(this);
    this.ussd = new UssdService(this);
    this.radio = new Radio(this.sim, this.timers, this.latency.registration, () => this.#registrationChanged());
  }

  /** Sends an unsolicited result code to the host. */
  report(code: string): void {
    this.#listener.code(code);
  }

  /** First power-on, without a word on the line: the host is not there yet. */
  powerOn(): void {
    this.radio.setFunctionality(1);
  }

  /** What is under way ends, and the network loses sight of the modem. */
  powerOff(): void {
    this.boots++;
    this.receiver.reset();
    this.ussd.reset();
    this.radio.setFunctionality(0);
  }

  /** Loses the settings, is deaf for `ms`, and starts again with the codes of a start. */
  reboot(ms: number): void {
    this.#booting?.();
    this.settings = freshSettings();
    this.refusing = undefined;
    this.mute = false;
    this.powerOff();
    this.sim.powerCycle();
    if (this.deviations.referenceRestarts) this.sim.lastReference = 255;
    this.#listener.died();
    this.#booting = this.timers.after(ms, () => this.#boot());
  }

  /** The TP-MR for the next SMS-SUBMIT: the modem counts by itself. TS 23.040 9.2.3.6. */
  nextReference(): number {
    this.sim.lastReference = (this.sim.lastReference + 1) % 256;
    return this.sim.lastReference;
  }

  #network(options: SimulatorOptions): Network {
    const { answerBack = false } = options;
    return new Network({
      now: () => this.clock.now(),
      timers: this.timers,
      latency: this.latency,
      faults: this.faults,
      host: {
        isReachable: () => this.radio.registered,
        receiveMessage: (pdu) => this.receiver.receiveMessage(pdu),
        receiveReport: (pdu) => this.receiver.receiveReport(pdu),
      },
      number: options.number ?? '+37069999001',
      smsc: options.smsc ?? '+37069900000',
      operator: options.operator ?? 'SIMNET',
      subscriber: answerBack === false ? undefined : new Subscriber(answerBack === true ? undefined : answerBack),
      onPart: (part) => this.#listener.part(part),
      onSent: (message) => this.#listener.sent(message),
    });
  }

  #boot(): void {
    this.#booting = undefined;
    this.#listener.booted();
    this.report('RDY');
    this.report('+CFUN: 1');
    this.report(`+CPIN: ${this.sim.state === 'absent' ? 'NOT INSERTED' : this.sim.state}`);
    this.radio.setFunctionality(1);
    if (this.sim.state === 'READY') this.report('+QIND: SMS DONE');
  }

  #registrationChanged(): void {
    for (const [command, mode] of this.settings.registrationReports) {
      if (mode > 0) this.report(`${command}: ${registrationText(this, mode)}`);
    }
    this.network.wake();
  }
}
