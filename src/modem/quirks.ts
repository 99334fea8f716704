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
}

interface Family {
  readonly manufacturer: RegExp;
  readonly quirks: Quirks;
}

const families: readonly Family[] = [
  {
    manufacturer: /quectel/i,
    quirks: {
      pinTries: { command: 'AT+QPINC="SC"', match: /^\+QPINC:\s*"SC"\s*,\s*(\d+)/ },
      iccid: 'AT+QCCID',
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
    quirks: { pinTries: { command: 'AT+SPIC', match: /^\+SPIC:\s*(\d+)/ } },
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
