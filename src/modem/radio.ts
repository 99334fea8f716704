import { sleep } from '../base/clock.ts';
import type { CommandLine } from './at/channel.ts';
import type { LifeContext } from './life-context.ts';
import { optional } from './optional.ts';

/** Longest wait for +CFUN, ms. */
const TIMEOUT = 15_000;
/** ms that the SIM is without power in a radio cycle. */
const OFF = 2_000;

/** Values of +CFUN with which nothing is sent or received: off, one direction alone, flight mode, offline (TS 27.007 8.2). */
const offValues = new Set(['0', '2', '3', '4', '7']);

/** Switches the radio on when another program, or a stored setting, has left it off. */
export async function switchRadioOn(line: CommandLine, { log }: LifeContext): Promise<void> {
  const answer = (await optional(line, 'AT+CFUN?'))?.find((text) => text.startsWith('+CFUN:'));
  const value = /^\+CFUN:\s*(\d+)/.exec(answer ?? '')?.[1];
  if (value === undefined || !offValues.has(value)) return;
  log.warning(`the radio of the modem is off (+CFUN: ${value}): it is switched on`);
  await optional(line, 'AT+CFUN=1', { timeout: TIMEOUT });
}

/** Takes radio and SIM down and up again: a SIM that failed comes back by that. */
export async function cycleRadio(line: CommandLine, { clock }: LifeContext, signal: AbortSignal): Promise<void> {
  const off = await optional(line, 'AT+CFUN=0', { timeout: TIMEOUT });
  if (off === undefined) await optional(line, 'AT+CFUN=4', { timeout: TIMEOUT });
  await sleep(clock, OFF, signal);
  await optional(line, 'AT+CFUN=1', { timeout: TIMEOUT });
}
