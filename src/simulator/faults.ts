import { GatewayError } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';

/**
 * What can go wrong, as data: the fields of a fault with their defaults, which also give their types. `skip` lets that
 * many occasions pass first, `times` says how many are hit. Faults without `times` stay until they are cleared, or act
 * at once.
 */
export const faultTable = {
  /** The command is carried out and its final answer never arrives. */
  lose_answer: { command: '+CMGS', skip: 0, times: 1 },
  /** The modem waits for the PDU, but its prompt never arrives. */
  lose_prompt: { skip: 0, times: 1 },
  /** The command fails with +CMS ERROR, one that sends after its PDU: the network refuses it. */
  cms_error: { command: '+CMGS', cause: 500, skip: 0, times: 1 },
  /** The next uses of the command, whatever its form, are answered with this text and OK, as another modem answers them. */
  reply: { command: '+CGMI', text: 'Quectel', times: 1 },
  /** +CMS ERROR although the network took the message. */
  sent_with_error: { cause: 500, skip: 0, times: 1 },
  /** The network takes the message, and the modem says so only after `ms`. */
  late_answer: { ms: 75_000, skip: 0, times: 1 },
  /** Every message is refused with this cause until the modem restarts. */
  refuse_all: { cause: 304 },
  /** The network answers the next USSD requests with these parameters of +CUSD, as they are. */
  ussd_answer: { parameters: '0,"Dial *320#"",15', times: 1 },
  /** The settings are as after a start, without a word: of a modem that starts so. */
  settings_lost: { text_mode: true, echo: true },
  /** SIM and message service are busy for `ms`: what needs them is refused with +CMS ERROR. */
  busy: { cause: 314, ms: 8_000 },
  /** +CMGL is refused with this cause; 0: it lists nothing. +CMGR works. */
  no_listing: { cause: 303 },
  /** The SIM fails with this +CME ERROR until the radio is switched off and on. */
  sim_failed: { cause: 13 },
  /** The radio is off, as +CFUN with this value leaves it. */
  radio_off: { level: 4 },
  /** What is typed is data, until +++ with a second of silence on both sides. */
  data_mode: {},
  /** The modem stores nowhere: a message is announced as `+CMTI: "SM",-1` and lost, unless it is passed on directly. */
  stores_nowhere: {},
  /** The port disappears, and is back after `ms`; with `reset` the modem lost its power meanwhile. */
  port_gone: { ms: 5_000, reset: false },
  /** The modem restarts and is deaf for `ms`; its settings are lost. */
  reboot: { ms: 0 },
  /** Hears nothing and says nothing for `ms`. */
  silent: { ms: 20_000 },
  /** Says nothing until it restarts. It hears and obeys. */
  mute: {},
  /** The vendor code every `interval` ms, `count` times. */
  urc_flood: { text: '^RSSI:14', interval: 100, count: 1_000 },
  /** The storages hold what they hold and nothing more. */
  memory_full: {},
  /** Part `part` of the next long incoming message comes `ms` late. */
  part_late: { part: 1, ms: 10_000, times: 1 },
  /** Output comes one octet at a time, `ms` apart. */
  slow_bytes: { ms: 1 },
  /** These octets at once, hexadecimal. */
  garbage: { hex: '00fffe0d0a7f8081' },
  /** These octets in front of the next answers, hexadecimal. */
  noise_before_answer: { hex: '00ff', skip: 0, times: 1 },
  /** The vendor code comes in front of the echo of the next commands, in the same write. */
  urc_before_echo: { text: '^BOOT:22,0,0,0,75', times: 1 },
  /** The echo swallows the first octet of the next commands. */
  broken_echo: { times: 1 },
  /** The network's status reports for the next parts bear this TP-ST. */
  report_status: { status: 0x46, skip: 0, times: 1 },
  /** No status report for the next parts. */
  lose_report: { skip: 0, times: 1 },
} as const;

type Widen<V> = V extends string ? string : V extends number ? number : V extends boolean ? boolean : never;
export type FaultType = keyof typeof faultTable;
export type FaultFields<T extends FaultType> = {
  readonly [K in keyof (typeof faultTable)[T]]: Widen<(typeof faultTable)[T][K]>;
};
/** A fault as it is asked for; what is left out has the default of the table. */
export type Fault = { readonly [T in FaultType]: { readonly type: T } & Partial<FaultFields<T>> }[FaultType];

const MAX_NUMBER = 1_000_000_000;
const MAX_TEXT = 2_048;

/** A fault from outside. Throws GatewayError invalid_argument that names the field. */
export function parseFault(value: JsonObject): Fault {
  const { type, ...fields } = value;
  if (typeof type !== 'string' || !Object.hasOwn(faultTable, type)) {
    throw new GatewayError('invalid_argument', `fault.type must be one of ${Object.keys(faultTable).join(', ')}`);
  }
  const row: Readonly<Record<string, string | number | boolean>> = faultTable[type as FaultType];
  for (const [name, field] of Object.entries(fields)) {
    const example = Object.hasOwn(row, name) ? row[name] : undefined;
    if (!fits(field, example)) throw new GatewayError('invalid_argument', `fault.${name} does not fit ${type}`);
  }
  return value as unknown as Fault;
}

function fits(value: unknown, example: unknown): boolean {
  if (typeof value !== typeof example) return false;
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= MAX_NUMBER;
  if (typeof value === 'string') return value.length <= MAX_TEXT;
  return typeof value === 'boolean';
}

/** Faults that hit a number of occasions. */
type CountedType = { [T in FaultType]: 'times' extends keyof FaultFields<T> ? T : never }[FaultType];
/** Faults that begin at once. */
type SwitchType = Exclude<FaultType, CountedType>;

interface Counted {
  readonly type: FaultType;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  skip: number;
  times: number;
}

interface Switch {
  readonly begin: (fields: never) => void;
  readonly end: () => void;
}

/** The fault switches of one modem. */
export class Faults {
  #counted: Counted[] = [];
  readonly #switches = new Map<FaultType, Switch>();

  /** Counted faults of one type queue up; a switch that is on begins again. */
  add(fault: Fault): void {
    const { type, ...given } = fault;
    const fields: Readonly<Record<string, string | number | boolean>> = { ...faultTable[type], ...given };
    const { skip, times } = fields;
    if (typeof times === 'number') {
      this.#counted.push({ type, fields, skip: typeof skip === 'number' ? skip : 0, times });
    } else {
      const target = this.#switches.get(type);
      target?.end();
      target?.begin(fields as never);
    }
  }

  /** Ends the faults of one type, or all. */
  clear(type?: FaultType): void {
    this.#counted = this.#counted.filter((fault) => type !== undefined && fault.type !== type);
    for (const [name, target] of this.#switches) {
      if (type === undefined || type === name) target.end();
    }
  }

  /** For the parts of the modem: an occasion for a counted fault. The fault's fields when it strikes. */
  take<T extends CountedType>(type: T, command?: string): FaultFields<T> | undefined {
    const index = this.#counted.findIndex(
      (fault) => fault.type === type && (command === undefined || fault.fields['command'] === command),
    );
    const fault = this.#counted[index];
    if (fault === undefined) return undefined;
    if (fault.skip > 0) {
      fault.skip--;
      return undefined;
    }
    fault.times--;
    if (fault.times <= 0) this.#counted.splice(index, 1);
    return fault.fields as FaultFields<T>;
  }

  /** For the parts of the modem: what a switch does when it is turned on, and off. `end` may come without `begin`. */
  onSwitch<T extends SwitchType>(type: T, begin: (fields: FaultFields<T>) => void, end: () => void): void {
    this.#switches.set(type, { begin, end });
  }
}
