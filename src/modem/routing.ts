import { parameters, valueGroups } from './at/answer.ts';
import type { CommandLine } from './at/line.ts';
import { optional, query } from './at/line.ts';

/** The five values of +CNMI: mode, mt, bm, ds, bfr (TS 27.005 3.4.1). */
export type Indications = readonly [number, number, number, number, number];

/** What is wanted of each value, best first. Messages: stored and announced (mt 1) before passed on directly (2). */
const wanted = {
  mode: [2, 1, 3, 0],
  mt: [1, 2, 0],
  /** With the option `delivery` on direct. */
  directMt: [2, 1, 0],
  bm: [0],
  /** Reports passed on directly (1): modems disagree on where they store and what they announce. Stored (2) else. */
  ds: [1, 2, 0],
  noDs: [0],
  bfr: [0, 1],
} as const;

/** The best that `+CNMI=?` offers. Without an answer to go by, what nearly all modems take. */
export function chooseIndications(testAnswer: string | undefined, reports: boolean, direct = false): Indications {
  const offered = testAnswer === undefined ? [] : valueGroups(testAnswer);
  const best = (position: number, order: readonly number[]): number => {
    const group = offered[position];
    if (group === undefined || group.length === 0) return order[0] ?? 0;
    return order.find((value) => group.includes(String(value))) ?? Number(group[0]);
  };
  return [
    best(0, wanted.mode),
    best(1, direct ? wanted.directMt : wanted.mt),
    best(2, wanted.bm),
    best(3, reports ? wanted.ds : wanted.noDs),
    best(4, wanted.bfr),
  ];
}

/** Where the modem takes what it receives, and how that is acknowledged. */
export class Routing {
  #indications: string | undefined;
  /** What was set before this session set anything. */
  #before: string | undefined;
  #acknowledge = false;
  /** The modem has taken the indications. */
  #taken = false;
  #reports = false;
  #direct = false;

  /** Sets up the indications, in simpler forms when the modem refuses; without any, only the sweeps find messages. */
  async prepare(line: CommandLine, reports: boolean, direct: boolean): Promise<boolean> {
    this.#before ??= await this.#read(line);
    this.#reports = reports;
    this.#direct = direct;
    // Phase 2+: the network keeps what is passed on directly until it is acknowledged (TS 27.005 3.2.1).
    if (direct) await optional(line, 'AT+CSMS=1');
    const test = await query(line, 'AT+CNMI=?');
    const first = chooseIndications(test, reports, direct);
    const [mode, mt, , ds, bfr] = first;
    const simpler: readonly Indications[] = [
      [mode, mt, 0, ds === 1 ? 2 : 0, bfr],
      [mode, mt === 0 ? 1 : mt, 0, 0, bfr],
      [mode, 1, 0, 0, bfr],
      [1, 1, 0, 0, 0],
    ];
    for (const indications of [first, ...simpler]) {
      this.#indications = indications.join();
      this.#taken = await this.#set(line);
      if (this.#taken) return true;
    }
    this.#indications = undefined;
    return false;
  }

  /** Whether everything was set up as it is now before anything was set: by an earlier session, and no reset since. */
  get kept(): boolean {
    return this.#before !== undefined && this.#before === this.#indications;
  }

  /** Takes what is set up now for what is to stay: the option `init` may have changed it. */
  async adopt(line: CommandLine): Promise<void> {
    // <service> 1: what is passed on directly must be acknowledged by +CNMA (TS 27.005 3.2.1).
    const service = await query(line, 'AT+CSMS?');
    this.#acknowledge = service !== undefined && parameters(service)[0] === '1';
    const now = await this.#read(line);
    this.#indications = now ?? this.#indications;
    this.#taken ||= now !== undefined && now.split(',')[1] !== '0';
  }

  /**
   * Sets the indications again when the modem has dropped them, as it does when an acknowledgement came too late, or when
   * it has refused them up to now.
   */
  async check(line: CommandLine): Promise<void> {
    if (!this.#taken) {
      await this.prepare(line, this.#reports, this.#direct);
      return this.adopt(line);
    }
    const now = await this.#read(line);
    if (now !== undefined && now !== this.#indications) await this.#set(line);
  }

  /** Answers a +CMT or +CDS, once its content is safe. */
  async acknowledge(line: CommandLine): Promise<void> {
    if (!this.#acknowledge) return;
    const taken = (await optional(line, 'AT+CNMA=0')) ?? (await optional(line, 'AT+CNMA'));
    if (taken === undefined) await this.#set(line);
  }

  async #read(line: CommandLine): Promise<string | undefined> {
    const answer = await query(line, 'AT+CNMI?');
    return answer === undefined ? undefined : parameters(answer).join();
  }

  async #set(line: CommandLine): Promise<boolean> {
    if (this.#indications === undefined) return false;
    return (await optional(line, `AT+CNMI=${this.#indications}`)) !== undefined;
  }
}
