/** +CME ERROR causes, TS 27.007 9.2. */
const cmeTexts: Readonly<Record<number, string>> = {
  3: 'operation not allowed',
  4: 'operation not supported',
  10: 'SIM not inserted',
  11: 'SIM PIN required',
  12: 'SIM PUK required',
  13: 'SIM failure',
  16: 'incorrect password',
  21: 'invalid index',
  30: 'no network service',
  50: 'incorrect parameters',
  100: 'unknown',
};

/** +CMS ERROR causes, TS 27.005 3.2.5. */
const cmsTexts: Readonly<Record<number, string>> = {
  300: 'ME failure',
  302: 'operation not allowed',
  303: 'operation not supported',
  304: 'invalid PDU mode parameter',
  305: 'invalid text mode parameter',
  310: 'SIM not inserted',
  311: 'SIM PIN required',
  313: 'SIM failure',
  314: 'SIM busy',
  316: 'SIM PUK required',
  320: 'memory failure',
  321: 'invalid memory index',
  322: 'memory full',
  330: 'SMSC address unknown',
  331: 'no network service',
  332: 'network timeout',
  340: 'no +CNMA acknowledgement expected',
  500: 'unknown error',
};

/** Which result codes a command fails with. */
export type FailureFamily = 'plain' | 'cme' | 'cms';
type FailureKind = FailureFamily | 'argument' | 'no carrier';

/** Why a command, and with it the rest of its line, ends. */
export class AtFailure extends Error {
  readonly family: FailureKind;
  readonly code: number;

  constructor(family: FailureKind, cause = 0) {
    super(`${family} ${cause}`);
    this.family = family;
    this.code = cause;
  }
}

export const cme = (cause: number): AtFailure => new AtFailure('cme', cause);
export const cms = (cause: number): AtFailure => new AtFailure('cms', cause);
/** A parameter that is missing, of the wrong type or out of range; the command's family gives the code. */
export const badArgument = (): AtFailure => new AtFailure('argument');

const verbose = (texts: Readonly<Record<number, string>>, cause: number) => texts[cause] ?? 'unknown error';

/** The final result code. `level` is that of +CMEE; +CMS ERROR does not depend on it but for its wording. */
export function failureCode(failure: AtFailure, family: FailureFamily, level: number, textMode: boolean): string {
  if (failure.family === 'cms') return cmsCode(failure.code, level);
  if (failure.family === 'cme') return cmeCode(failure.code, level);
  if (failure.family === 'no carrier') return 'NO CARRIER';
  if (failure.family === 'plain' || family === 'plain') return 'ERROR';
  return family === 'cms' ? cmsCode(textMode ? 305 : 304, level) : cmeCode(50, level);
}

function cmsCode(cause: number, level: number): string {
  return `+CMS ERROR: ${level === 2 ? verbose(cmsTexts, cause) : cause}`;
}

function cmeCode(cause: number, level: number): string {
  return level === 0 ? 'ERROR' : `+CME ERROR: ${level === 2 ? verbose(cmeTexts, cause) : cause}`;
}
