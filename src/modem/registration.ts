import type { CommandLine } from './at/channel.ts';
import { parameters } from './at/parameters.ts';
import { optional } from './optional.ts';
import type { ModemStatus } from './status.ts';
import { nameText } from './ussd-text.ts';

export type Registration = NonNullable<ModemStatus['registration']>;

/** Circuit-switched, GPRS and EPS: a modem on LTE may be registered in the last alone, and SMS work there as well. */
const domains = ['CREG', 'CGREG', 'CEREG'] as const;

/**
 * <stat> of TS 27.007 7.2; 6 and 7 are "for SMS only", 9 and 10 have CSFB not preferred. 0, 4, 8 and 11 (emergency calls
 * only) are no registration.
 */
const meanings: Readonly<Record<number, Registration>> = {
  1: 'home',
  6: 'home',
  9: 'home',
  5: 'roaming',
  7: 'roaming',
  10: 'roaming',
  2: 'searching',
  3: 'denied',
};
const bestFirst: readonly Registration[] = ['home', 'roaming', 'searching', 'denied'];

/** Where the modem is registered, by all domains that it knows. */
export class RegistrationWatch {
  readonly #stats = new Map<string, number>();
  #known: readonly string[] = [];
  /** Domains whose codes were seen to be switched on. */
  readonly #reporting = new Set<string>();
  #forgotten = false;

  /** Whether the modem has switched its codes off, which it does when it starts anew. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Asks for the codes that report changes. */
  async prepare(line: CommandLine): Promise<void> {
    const known: string[] = [];
    for (const domain of domains) {
      if ((await optional(line, `AT+${domain}=1`)) !== undefined) known.push(domain);
    }
    this.#known = known;
  }

  async refresh(line: CommandLine): Promise<void> {
    for (const domain of this.#known) {
      const answer = (await optional(line, `AT+${domain}?`))?.find((text) => text.startsWith(`+${domain}:`));
      if (answer === undefined) continue;
      const { mode, stat } = readRegistration(answer);
      if (mode !== undefined && mode > 0) this.#reporting.add(domain);
      if (mode === 0 && this.#reporting.has(domain)) this.#forgotten = true;
      if (stat !== undefined) this.changed(domain, stat);
    }
  }

  /** A code told of a change. */
  changed(domain: string, stat: number): void {
    this.#stats.set(domain, stat);
  }

  /** `home` when the modem knows none of the domains: then only sending shows whether there is a network. */
  get registration(): Registration {
    if (this.#stats.size === 0) return this.#known.length === 0 ? 'home' : 'none';
    const found = new Set([...this.#stats.values()].map((stat) => meanings[stat]));
    return bestFirst.find((registration) => found.has(registration)) ?? 'none';
  }
}

/** A query's answer, `+CREG: <n>,<stat>[,...]`; modems that leave out <n> occur. */
export function readRegistration(answer: string): { readonly mode?: number; readonly stat?: number } {
  const [first, second] = parameters(answer);
  const number = (text: string | undefined) =>
    text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  // Behind <stat> comes the area, in quotes; a bare one has four hexadecimal digits.
  const mode = number(first);
  const stat = number(second);
  if (mode === undefined) return {};
  return stat === undefined ? { stat: mode } : { mode, stat };
}

/** The network's name, `+COPS: 0,0,"Name",7`. */
export async function operatorName(line: CommandLine): Promise<string | undefined> {
  const answer = (await optional(line, 'AT+COPS?', { timeout: 30_000 }))?.find((text) => text.startsWith('+COPS:'));
  const name = answer === undefined ? undefined : parameters(answer)[2];
  return name === undefined || name === '' ? undefined : nameText(name).slice(0, 50);
}

/** dBm of an <rssi> of +CSQ (TS 27.007 8.5); undefined when unknown. */
export function signalOf(rssi: number): number | undefined {
  return rssi >= 0 && rssi <= 31 ? -113 + 2 * rssi : undefined;
}
