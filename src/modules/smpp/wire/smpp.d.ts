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
    readonly tag: string;
    readonly multiple?: boolean;
  }

  class PDU {
    static maxLength: number;
    /** A buffer is decoded; a name makes a new PDU with these fields. */
    constructor(command: string | Buffer, fields?: Readonly<Record<string, unknown>>);
    readonly [field: string]: unknown;
    toBuffer(): Buffer;
  }

  const smpp: {
    readonly PDU: typeof PDU;
    readonly commands: Readonly<Record<string, Command>>;
    readonly commandsById: Readonly<Record<number, Command>>;
    readonly tlvs: Readonly<Record<string, Tlv>>;
    readonly tlvsById: Readonly<Record<number, Tlv>>;
    readonly types: Readonly<Record<'int8' | 'int16' | 'int32', FieldType>>;
  };
  export = smpp;
}
