/** Where a family of modems leaves the standard, as far as the gateway must know. */
export interface Quirks {
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

interface Family {
  readonly manufacturer: RegExp;
  readonly quirks: Quirks;
}

/** +QURCCFG: "urcport","usbat": the AT port of USB, its modem port, or the UART. */
function quectelCodePort(answer: readonly string[], device: string): string | undefined {
  const now = /^\+QURCCFG:\s*"urcport"\s*,\s*"?([a-z0-9]+)/i.exec(
    answer.find((line) => /^\+QURCCFG/.test(line)) ?? '',
  )?.[1];
  const wanted = /\/tty(S|AMA|O|mxc|HS|MSM|AT|SC)\d/.test(device) ? 'uart1' : 'usbat';
  return now === undefined || now === wanted || now === 'all' ? undefined : `AT+QURCCFG="urcport","${wanted}"`;
}

/** +CATR: 0 stands for all ports. */
function simcomCodePort(answer: readonly string[]): string | undefined {
  const now = /^\+CATR:\s*(\d)/.exec(answer.find((line) => /^\+CATR/.test(line)) ?? '')?.[1];
  return now === undefined || now === '0' ? undefined : 'AT+CATR=0';
}

const families: readonly Family[] = [
  {
    manufacturer: /quectel/i,
    quirks: {
      pinTries: { command: 'AT+QPINC="SC"', match: /^\+QPINC:\s*"SC"\s*,\s*(\d+)/ },
      iccid: 'AT+QCCID',
      codePort: { ask: 'AT+QURCCFG="urcport"', set: quectelCodePort },
    },
  },
  {
    manufacturer: /huawei/i,
    quirks: {
      packedUssd: true,
      // ^CPIN: <code>,[<times>],<puk>,<pin>,<puk2>,<pin2>
      pinTries: { command: 'AT^CPIN?', match: /^\^CPIN:\s*[^,]*,\s*\d*\s*,\s*\d+\s*,\s*(\d+)/ },
      iccid: 'AT^ICCID?',
    },
  },
  {
    manufacturer: /simcom/i,
    quirks: {
      pinTries: { command: 'AT+SPIC', match: /^\+SPIC:\s*(\d+)/ },
      codePort: { ask: 'AT+CATR?', set: simcomCodePort },
    },
  },
  {
    manufacturer: /telit/i,
    quirks: { pinTries: { command: 'AT#PCT', match: /^#PCT:\s*(\d+)/ }, iccid: 'AT#CCID' },
  },
];

/** What is known of a modem by the manufacturer that it names. */
export function quirksOf(manufacturer: string | undefined): Quirks {
  return families.find((family) => family.manufacturer.test(manufacturer ?? ''))?.quirks ?? {};
}
