import type { EventSource } from '../base/bus.ts';
import type { Clock } from '../base/clock.ts';
import { FaultLog } from '../base/fault-log.ts';
import type { Logger } from '../base/log.ts';
import { counted } from '../base/printable.ts';
import type { ModemEvents, ModemState, ModemStatus } from '../modem/status.ts';

/** States that a person has to end. A port that is gone or a modem that hangs is logged where it is tried again. */
const faultStates: ReadonlySet<ModemState> = new Set(['no_sim', 'pin_required', 'pin_wrong', 'puk_required', 'denied']);

/** A modem at the edge of its network comes and goes: two lines in this time, ms, and the rest is counted. */
const QUIET_MS = 10 * 60_000;

interface Known {
  readonly log: Logger;
  readonly faults: FaultLog;
  readonly kinds: Set<ModemState>;
  state: ModemState | undefined;
  found: string;
  warning: string | undefined;
  /** When its coming or going was last logged, by the monotonic clock. */
  logged: number;
  /** Losses of the network since then. */
  losses: number;
}

/** What becomes of the modems, a line at each turn. */
export class StateLog {
  readonly #bus: EventSource<ModemEvents>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #modems = new Map<string, Known>();

  constructor(bus: EventSource<ModemEvents>, clock: Clock, log: Logger) {
    this.#bus = bus;
    this.#clock = clock;
    this.#log = log;
    bus.on('modem.state', this, (status) => this.#modem(status));
  }

  stop(): void {
    this.#bus.off(this);
  }

  #modem(status: ModemStatus): void {
    const { name, state, error, warning } = status;
    if (state === 'stopped') {
      this.#modems.delete(name);
      return;
    }
    const known = this.#known(name);
    const found = describeModem(status);
    if (found !== '' && found !== known.found) known.log.info(`found ${found}`);
    if (found !== '') known.found = found;
    if (warning !== undefined && warning !== known.warning) known.log.warning(warning);
    known.warning = warning;
    if (faultStates.has(state)) {
      known.kinds.add(state);
      known.faults.fault(state, error === undefined ? wordOf(state) : `${wordOf(state)}: ${error}`);
    } else if (state === 'registering' && known.state !== 'registering') this.#searching(known, error);
    else if (state === 'ready' && known.state !== 'ready') this.#ready(known, status);
    known.state = state;
  }

  #searching(known: Known, error: string | undefined): void {
    if (this.#quiet(known)) known.losses++;
    else known.log.info(`waits for the network${error === undefined ? '' : `: ${error}`}`);
  }

  #ready(known: Known, { operator, registration, signal }: ModemStatus): void {
    // A fault that is over is news at any time.
    const over = [...known.kinds].map((kind) => known.faults.over(kind));
    known.kinds.clear();
    if (over.length === 0 && known.losses > 0 && this.#quiet(known)) return;
    const facts = [
      ...(operator === undefined ? [] : [`network ${operator}`]),
      ...(registration === undefined ? [] : [registration]),
      ...(signal === undefined ? [] : [`signal ${signal} dBm`]),
      ...(known.losses > 0
        ? [
            `after ${counted(known.losses, 'loss of the network that has', 'losses of the network that have')} no line here`,
          ]
        : []),
    ];
    known.log.info(['ready', ...facts].join(', '));
    known.losses = 0;
    known.logged = this.#clock.monotonic();
  }

  #quiet({ logged }: Known): boolean {
    return this.#clock.monotonic() - logged < QUIET_MS;
  }

  #known(name: string): Known {
    const present = this.#modems.get(name);
    if (present !== undefined) return present;
    const log = this.#log.child(name);
    const made: Known = {
      ...{ log, faults: new FaultLog(log), kinds: new Set<ModemState>(), found: '' },
      ...{ state: undefined, warning: undefined, logged: Number.NEGATIVE_INFINITY, losses: 0 },
    };
    this.#modems.set(name, made);
    return made;
  }
}

const wordOf = (state: ModemState): string => state.replaceAll('_', ' ');

/** Which modem it is, and where. */
function describeModem({ manufacturer, model, imei, device }: ModemStatus): string {
  const names = [manufacturer, model].filter((name) => name !== undefined && name !== '');
  if (names.length === 0 && imei === undefined) return '';
  return [names.join(' ') || 'a modem', `at ${device}`, ...(imei === undefined ? [] : [`IMEI ${imei}`])].join(', ');
}
