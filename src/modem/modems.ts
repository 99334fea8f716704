import type { EventSink } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ModemConfig } from '../config/config.ts';
import type { SimulatedModem } from '../simulator/simulated-modem.ts';
import type { Inbox } from '../store/inbox/inbox.ts';
import type { Outbox } from '../store/outbox/outbox.ts';
import { filePinMemory } from './pin-memory.ts';
import { ModemSession } from './session.ts';
import type { ModemEvents } from './status.ts';

export interface ModemsOptions {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly bus: EventSink<ModemEvents>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where it is remembered which PIN was tried. */
  readonly stateDirectory: string;
}

/** The modems of the config: a session each, feeding the inbox and fed by the outbox. */
export class Modems {
  /** Simulated modems by section. They outlive their sessions, as a modem outlives a restart of what drives it. */
  readonly simulators = new Map<string, SimulatedModem>();
  readonly #options: ModemsOptions;
  readonly #sessions = new Map<string, ModemSession>();
  /** Simulated modems whose subscriber answers. */
  readonly #answering = new Set<string>();
  readonly #limits = new Map<string, number>();
  #stopped = false;

  constructor(options: ModemsOptions) {
    this.#options = options;
  }

  /** By their names: which one started first says nothing. */
  list(): readonly ModemSession[] {
    return [...this.#sessions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, session]) => session);
  }

  find(name: string): ModemSession | undefined {
    return this.#sessions.get(name);
  }

  /** Parts that a modem has sent on this day of the local calendar, and how many it may; 0 for any number. */
  today(name: string): { readonly sent: number; readonly limit: number } {
    return { sent: this.#options.outbox.sentToday(name), limit: this.#limits.get(name) ?? 0 };
  }

  /** Starts a session by its config; nothing when the section is switched off. */
  async start(config: ModemConfig): Promise<void> {
    if (!config.enabled) return;
    const { inbox, outbox, bus, clock } = this.#options;
    const name = config.section;
    const simulator = config.device === 'sim' ? await this.#simulator(config) : undefined;
    if (this.#stopped) return;
    const session = new ModemSession({
      name,
      config,
      clock,
      log: this.#options.log.child(name),
      inbound: {
        deliver: async (pdu, deliver) =>
          void (await inbox.accept({ modem: name, pdu, received: clock.now(), ...(deliver && { deliver }) })),
        report: (report) => outbox.report(report),
        answeredLate: (outcome) => void outbox.answeredLate(name, outcome),
        call: (number) => bus.emit('call.incoming', { modem: name, ...(number === undefined ? {} : { number }) }),
        ussd: (text) => bus.emit('ussd.received', { modem: name, text }),
        changed: (status) => {
          outbox.senderChanged(name);
          bus.emit('modem.state', status);
        },
        noted: (status) => bus.emit('modem.facts', status),
      },
      pinMemory: filePinMemory(this.#options.stateDirectory),
      ...(simulator === undefined ? {} : { bindings: { simulator: () => simulator.connect() } }),
    });
    this.#sessions.set(name, session);
    this.#limits.set(name, config.daily_limit);
    outbox.attach(session, {
      interval: config.send_interval,
      daily: config.daily_limit,
      reports: config.reports,
    });
    session.start();
  }

  /** Stops the session of that name and starts one by the new config, if there is one. */
  async replace(name: string, config: ModemConfig | undefined): Promise<void> {
    await this.#stop(name);
    if (config?.device !== 'sim') this.#forgetSimulator(name);
    if (config !== undefined) await this.start(config);
  }

  /** Nothing starts any more afterwards. */
  async stopAll(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#sessions.keys()].map((name) => this.#stop(name)));
    for (const simulator of this.simulators.values()) simulator.stop();
    this.simulators.clear();
  }

  async #stop(name: string): Promise<void> {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    this.#sessions.delete(name);
    this.#limits.delete(name);
    await this.#options.outbox.detach(name);
    await session.stop();
  }

  #forgetSimulator(name: string): void {
    this.simulators.get(name)?.stop();
    this.simulators.delete(name);
  }

  async #simulator({ section, sim_answer }: ModemConfig): Promise<SimulatedModem> {
    if (sim_answer) this.#answering.add(section);
    else this.#answering.delete(section);
    const known = this.simulators.get(section);
    if (known !== undefined) return known;
    const { friendlyAnswer, SimulatedModem } = await import('../simulator/index.ts');
    const made = new SimulatedModem({
      clock: this.#options.clock,
      answerBack: (message) => (this.#answering.has(section) ? friendlyAnswer(message) : undefined),
    });
    this.simulators.set(section, made);
    return made;
  }
}
