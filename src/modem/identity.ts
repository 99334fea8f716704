import type { CommandLine } from './at/channel.ts';
import { parameters } from './at/parameters.ts';
import { optional } from './optional.ts';
import type { Quirks } from './quirks.ts';

export interface ModemIdentity {
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  readonly revision: string | undefined;
  readonly imei: string | undefined;
}

export interface SimIdentity {
  readonly imsi: string | undefined;
  readonly iccid: string | undefined;
  readonly number: string | undefined;
}

/** Ways to ask for the ICCID: TS 27.007 has none that all modems know. */
const iccidCommands = ['AT+CCID', 'AT+ICCID', 'AT+QCCID', 'AT^ICCID?', 'AT#CCID'];

/** Who the modem is (TS 27.007 5); works without a SIM. */
export async function identifyModem(line: CommandLine): Promise<ModemIdentity> {
  return {
    manufacturer: name(await optional(line, 'AT+CGMI')),
    model: name(await optional(line, 'AT+CGMM')),
    revision: name(await optional(line, 'AT+CGMR')),
    imei: digits(await optional(line, 'AT+CGSN'), /\d{14,16}/),
  };
}

export async function identifySim(line: CommandLine, quirks: Quirks): Promise<SimIdentity> {
  const imsi = digits(await optional(line, 'AT+CIMI'), /\d{14,15}/);
  const own = (await optional(line, 'AT+CNUM'))?.find((text) => text.startsWith('+CNUM:'));
  const number = own === undefined ? undefined : parameters(own)[1];
  return { imsi, iccid: await iccid(line, quirks), number: number === '' ? undefined : number };
}

async function iccid(line: CommandLine, quirks: Quirks): Promise<string | undefined> {
  for (const command of new Set([...(quirks.iccid === undefined ? [] : [quirks.iccid]), ...iccidCommands])) {
    const found = digits(await optional(line, command), /\d{18,20}/);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first line, bare: some modems put the command's name in front, some put quotes around. */
function name(lines: readonly string[] | undefined): string | undefined {
  const text = lines?.[0]?.replace(/^\+CGM[IMR]:\s*/, '').replace(/^"(.*)"$/, '$1');
  return text === undefined || text === '' ? undefined : text.slice(0, 100);
}

function digits(lines: readonly string[] | undefined, pattern: RegExp): string | undefined {
  for (const line of lines ?? []) {
    const match = pattern.exec(line);
    if (match !== null) return match[0];
  }
  return undefined;
}
