import { AtError } from './at-error.ts';

/** The line that ends an answer. */
export type FinalResult = { readonly ok: true } | { readonly ok: false; readonly error: AtError };

/** What modems write in place of numbers when +CMEE stands on 2, or by themselves. */
const causesInWords: readonly (readonly [RegExp, number])[] = [
  [/sim not inserted/i, 10],
  [/sim pin required/i, 11],
  [/sim puk required/i, 12],
  [/sim failure/i, 13],
  [/sim busy/i, 14],
  [/incorrect password/i, 16],
  [/memory full/i, 20],
  [/no network/i, 30],
];

/** Bare error results; the last ones are what Huawei modems say for an unknown command. */
const bareErrors = new Set(['ERROR', 'ABORTED', 'COMMAND NOT SUPPORT', 'COMMAND NOT SUPPORTED', 'TOO MANY PARAMETERS']);

/** The final result that a line is, or undefined. */
export function finalResult(line: string): FinalResult | undefined {
  if (line === 'OK') return { ok: true };
  if (bareErrors.has(line)) return { ok: false, error: new AtError('error', line) };
  const match = /^\+CM([ES]) ERROR:\s*(.*)$/.exec(line);
  if (match === null) return undefined;
  const text = match[2] ?? '';
  const cause = /^\d{1,5}$/.test(text) ? Number(text) : causesInWords.find(([words]) => words.test(text))?.[1];
  return { ok: false, error: new AtError(match[1] === 'S' ? 'cms' : 'cme', line, cause) };
}
