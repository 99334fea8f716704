import { type Fault, type FaultFields, type FaultType, faultTable } from './fault-table.ts';

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

  /** Counted faults of one type queue up; a switch that is on begins anew. */
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
