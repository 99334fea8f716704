import { parameters } from './at/answer.ts';
import type { CommandLine } from './at/line.ts';
import { optional, query } from './at/line.ts';

/** Where a family of modems leaves the standard, as far as the gateway must know. Most leave it nowhere. */
export interface ModemFamily {
  /** How to ask for the PIN tries that are left, besides +CPINR; the first group of `match` is their number. */
  readonly pinTries?: { readonly command: string; readonly match: RegExp };
  /** USSD codes and answers in GSM 7-bit go over the line as packed septets in hexadecimal. */
  readonly packedUssd?: boolean;
  /** USSD answers are ASCII: the modem has no GSM character set for +CSCS. */
  readonly asciiUssd?: boolean;
  /** Command that asks for the ICCID. */
  readonly iccid?: string;
  /** A modem that sends its codes to one of its ports: asks for it, and gives the command that sets it right, if one is due. */
  readonly codePort?: {
    readonly ask: string;
    readonly set: (answer: readonly string[], device: string) => string | undefined;
  };
}

/**
 * +QURCCFG: "urcport","usbat": the AT port of USB, its modem port, or the UART. Over TCP it is not known which of them it
 * is. Of the USB ports the modem port is the last of four, mostly: where the setting may be for the other one, all ports
 * get the codes. Firmware that does not know "all" refuses it and stays as it is.
 */
function quectelCodePort(answer: readonly string[], device: string): string | undefined {
  const line = answer.find((text) => /^\+QURCCFG/.test(text)) ?? '';
  const now = /^\+QURCCFG:\s*"urcport"\s*,\s*"?([a-z0-9]+)/i.exec(line)?.[1];
  if (now === undefined || now === 'all' || device.startsWith('tcp:')) return undefined;
  const set = (port: string) => (now === port ? undefined : `AT+QURCCFG="urcport","${port}"`);
  if (/\/tty(S|AMA|O|mxc|HS|MSM|AT|SC)\d/.test(device)) return set('uart1');
  const isModemPort = /\/ttyUSB\d*[37]$/.test(device);
  return now === 'usbmodem' || (now === 'usbat' && isModemPort) ? set('all') : set('usbat');
}

/** +CATR: 0 stands for all ports. */
function simcomCodePort(answer: readonly string[]): string | undefined {
  const now = /^\+CATR:\s*(\d)/.exec(answer.find((line) => /^\+CATR/.test(line)) ?? '')?.[1];
  return now === undefined || now === '0' ? undefined : 'AT+CATR=0';
}

const families: readonly (readonly [manufacturer: RegExp, family: ModemFamily])[] = [
  [
    /quectel/i,
    {
      pinTries: { command: 'AT+QPINC="SC"', match: /^\+QPINC:\s*"SC"\s*,\s*(\d+)/ },
      iccid: 'AT+QCCID',
      codePort: { ask: 'AT+QURCCFG="urcport"', set: quectelCodePort },
    },
  ],
  [
    /huawei/i,
    {
      packedUssd: true,
      // ^CPIN: <code>,[<times>],<puk>,<pin>,<puk2>,<pin2>
      pinTries: { command: 'AT^CPIN?', match: /^\^CPIN:\s*[^,]*,\s*\d*\s*,\s*\d+\s*,\s*(\d+)/ },
      iccid: 'AT^ICCID?',
    },
  ],
  [
    /simcom/i,
    {
      pinTries: { command: 'AT+SPIC', match: /^\+SPIC:\s*(\d+)/ },
      codePort: { ask: 'AT+CATR?', set: simcomCodePort },
    },
  ],
  [/telit/i, { pinTries: { command: 'AT#PCT', match: /^#PCT:\s*(\d+)/ }, iccid: 'AT#CCID' }],
];

/** What is known of a modem by the manufacturer that it names. */
export function familyOf(manufacturer: string | undefined): ModemFamily {
  return families.find(([pattern]) => pattern.test(manufacturer ?? ''))?.[1] ?? {};
}

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

export async function identifySim(line: CommandLine, family: ModemFamily): Promise<SimIdentity> {
  const imsi = digits(await optional(line, 'AT+CIMI'), /\d{14,15}/);
  const own = await query(line, 'AT+CNUM');
  const number = own === undefined ? undefined : parameters(own)[1];
  return { imsi, iccid: await iccid(line, family), number: number === '' ? undefined : number };
}

async function iccid(line: CommandLine, family: ModemFamily): Promise<string | undefined> {
  for (const command of new Set([...(family.iccid === undefined ? [] : [family.iccid]), ...iccidCommands])) {
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
