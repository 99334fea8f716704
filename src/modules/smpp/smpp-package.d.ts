/** The parts of the package `smpp` that are used here; it has no types of its own. */
declare module 'smpp' {
  interface FieldType {
    readonly default: unknown;
  }

  interface Parameter {
    readonly type: FieldType;
    filter?: unknown;
  }

  interface Command {
    readonly command: string;
    readonly id: number;
    readonly params?: Readonly<Record<string, Parameter>>;
  }

  interface Tlv extends Parameter {
    readonly id: number;
  }

  class PDU {
    /** A new PDU with these fields. */
    constructor(command: string, fields?: Readonly<Record<string, unknown>>);
    toBuffer(): Buffer;
  }

  const smpp: {
    readonly PDU: typeof PDU;
    readonly commands: Readonly<Record<string, Command>>;
    readonly commandsById: Readonly<Record<number, Command>>;
    readonly tlvs: Readonly<Record<string, Tlv>>;
    readonly types: Readonly<Record<'int8' | 'int16' | 'int32', FieldType>>;
  };
  export = smpp;
}
