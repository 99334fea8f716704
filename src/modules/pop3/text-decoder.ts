import { codePages } from './code-pages.ts';

/** Labels that do not say the name of the code page, https://encoding.spec.whatwg.org/#names-and-labels */
const otherNames: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ ascii: 'windows-1252', usascii: 'windows-1252', ansix341968: 'windows-1252' },
    ...{ latin1: 'windows-1252', l1: 'windows-1252', iso88591: 'windows-1252', iso885911987: 'windows-1252' },
    ...{ latin2: 'iso-8859-2', l2: 'iso-8859-2', latin3: 'iso-8859-3', l3: 'iso-8859-3' },
    ...{ latin4: 'iso-8859-4', l4: 'iso-8859-4', cyrillic: 'iso-8859-5', arabic: 'iso-8859-6' },
    ...{ greek: 'iso-8859-7', hebrew: 'iso-8859-8', iso88598i: 'iso-8859-8', logical: 'iso-8859-8' },
    ...{ latin5: 'windows-1254', l5: 'windows-1254', iso88599: 'windows-1254' },
    ...{ latin6: 'iso-8859-10', l6: 'iso-8859-10', latin9: 'iso-8859-15', l9: 'iso-8859-15' },
    ...{ iso885911: 'windows-874', tis620: 'windows-874', dos874: 'windows-874' },
    ...{ koi: 'koi8-r', koi8: 'koi8-r', koi8ru: 'koi8-u', 866: 'ibm866', csibm866: 'ibm866' },
  }),
);

/** The single-byte encoding that the label means; undefined when it means another. */
export function codePageOf(label: string): string | undefined {
  const bare = label
    .trim()
    .toLowerCase()
    .replace(/^(x-|cs)/, '')
    .replace(/[\s._:-]/g, '');
  const iso = /^iso8859(\d+)$/.exec(bare)?.[1];
  const page = /^(?:cp|windows|ms|ibm)(\d+)$/.exec(bare)?.[1];
  const names = [
    otherNames.get(bare),
    `iso-8859-${iso}`,
    `windows-${page}`,
    `ibm${page}`,
    bare.replace('koi8', 'koi8-'),
  ];
  return names.find((name) => name !== undefined && Object.hasOwn(codePages, name));
}

const whole = new Map<string, string>();

/** The characters of all 256 octets. */
function charactersOf(name: string): string {
  const known = whole.get(name);
  if (known !== undefined) return known;
  const upper = codePages[name] ?? '';
  const lower = String.fromCharCode(...Array(256 - upper.length).keys());
  whole.set(name, lower + upper);
  return lower + upper;
}

type Octets = ArrayBuffer | ArrayBufferView;

/** What a TextDecoder is for a single-byte encoding. */
class SingleByteDecoder {
  readonly encoding: string;
  readonly fatal = false;
  readonly ignoreBOM = false;

  constructor(codePage: string) {
    this.encoding = codePage;
  }

  decode(input: Octets = new Uint8Array()): string {
    const characters = charactersOf(this.encoding);
    let text = '';
    for (const octet of octetsOf(input)) text += characters.charAt(octet);
    return text;
  }
}

const octetsOf = (input: Octets): Uint8Array =>
  ArrayBuffer.isView(input) ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);

/** Node without Intl has none of them; Node 20 and early releases of 22 take windows-1252 for ISO 8859-1. */
function knowsCodePages(): boolean {
  try {
    const euro = Uint8Array.of(0x80);
    return ['windows-1252', 'windows-1257'].every((label) => new TextDecoder(label).decode(euro) === '€');
  } catch {
    return false;
  }
}

/**
 * Gives the runtime the single-byte encodings where it lacks them or has one of them wrong. The mail parser takes its
 * decoders from there, for texts and for headers.
 */
export function mendTextDecoder(): void {
  if (knowsCodePages()) return;
  globalThis.TextDecoder = new Proxy(globalThis.TextDecoder, {
    construct(native, [label = 'utf-8', ...rest]: [label?: string, ...unknown[]], newTarget) {
      const codePage = codePageOf(label);
      if (codePage !== undefined) return new SingleByteDecoder(codePage);
      return Reflect.construct(native, [label, ...rest], newTarget);
    },
  });
}
