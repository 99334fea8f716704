import { sleep } from '../base/clock.ts';
import { describeError } from '../base/errors.ts';
import type { Wake } from '../base/wake.ts';
import type { CommandLine } from './at/line.ts';
import { isRefusal, optional, query } from './at/line.ts';
import type { ModemFamily } from './families.ts';
import type { SessionContext } from './session-context.ts';
import type { ModemState } from './status.ts';

/** ms between queries of a SIM that is not usable; a +CPIN code of the modem cuts it short. */
const LOOK_AGAIN = 10_000;
/** ms between queries while the SIM is busy or has just taken its PIN. */
const SOON = 1_000;
/** Queries after which a SIM that stays busy counts as unusable. */
const PATIENCE = 30;
/** Longest wait for the check of a PIN, ms. */
const ENTRY_TIMEOUT = 20_000;

/** Some modems end the answer to +CPIN? without an OK (Wavecom): ms of silence that end it as well. */
const WITHOUT_OK = 1_000;

/** The SIM cannot be used, and a step of the reset ladder is due. */
export class NoSimError extends Error {}

/** What +CPIN? says (TS 27.007 8.3). */
type SimState = 'ready' | 'pin' | 'puk' | 'busy' | 'absent' | 'failed' | 'unusable';

/** Waits for a SIM that can be used, gives it its PIN if it asks for one, and says on the status board what it waits for. */
export async function unlockSim(
  line: CommandLine,
  family: ModemFamily,
  context: SessionContext,
  signal: AbortSignal,
  simCode: Wake,
): Promise<void> {
  let patience = PATIENCE;
  let cycled = false;
  for (;;) {
    let state = await simState(line);
    if (state === 'ready') return context.pinMemory.clear(context.name).catch(() => {});
    if (state === 'pin' && patience === PATIENCE) {
      const refusal = await enterPin(line, family, context);
      if (refusal === undefined) state = 'busy';
      else context.board.enter(refusal.state, refusal.error);
    }
    if (state === 'failed' && !cycled) {
      cycled = true;
      context.board.enter('no_sim', 'the SIM has failed: the radio is switched off and on');
      await cycleRadio(line, context, signal);
      continue;
    }
    if ((state === 'busy' || (state === 'failed' && cycled)) && patience > 0) {
      if (state === 'busy') context.board.enter('setting_up', 'the SIM is busy');
      patience--;
      await simCode.wait(context.clock, SOON, signal);
      continue;
    }
    patience = PATIENCE;
    const unusable = unusableSim[state];
    if (unusable !== undefined) context.board.enter(...unusable);
    if (state !== 'puk' && state !== 'pin') context.ladder.trouble();
    if (context.ladder.due !== undefined) throw new NoSimError(unusable?.[1] ?? 'the SIM cannot be used');
    await simCode.wait(context.clock, LOOK_AGAIN, signal);
  }
}

const unusableSim: Partial<Record<SimState, readonly [ModemState, string]>> = {
  puk: ['puk_required', 'the SIM asks for its PUK: unlock it in a phone'],
  busy: ['no_sim', 'the SIM does not become ready'],
  absent: ['no_sim', 'there is no SIM'],
  failed: ['no_sim', 'the SIM has failed, and switching the radio off and on was no help'],
  unusable: ['no_sim', 'the SIM cannot be used'],
};

/** +CME ERROR causes that stand for a state of the SIM (TS 27.007 9.2.1). */
const simCauses: Readonly<Record<number, SimState>> = {
  10: 'absent',
  11: 'pin',
  12: 'puk',
  13: 'failed',
  14: 'busy',
  15: 'failed',
  515: 'busy',
};

async function simState(line: CommandLine): Promise<SimState> {
  let lines: readonly string[];
  try {
    lines = await line.command('AT+CPIN?', { quiet: WITHOUT_OK });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.kind !== 'cme') return 'busy';
    return simCauses[error.causeCode ?? 0] ?? 'unusable';
  }
  const code = /^\+CPIN:\s*"?([A-Z0-9 -]*)/.exec(lines.find((text) => text.startsWith('+CPIN:')) ?? '')?.[1]?.trim();
  if (code === 'SIM PIN') return 'pin';
  if (code === 'SIM PUK') return 'puk';
  if (code === 'NOT READY' || code === undefined || code === '') return 'busy';
  if (code === 'NOT INSERTED') return 'absent';
  // SIM PIN2 and the like lock functions that the gateway does not use.
  return code === 'READY' || code.endsWith('2') ? 'ready' : 'unusable';
}

interface Refusal {
  readonly state: ModemState;
  readonly error: string;
}

/**
 * One try, and never a second one with the same PIN while it may be wrong; never the last one that the SIM allows. A
 * full count of tries shows that no try failed since the SIM was last unlocked, so a try is safe then.
 */
async function enterPin(line: CommandLine, family: ModemFamily, context: SessionContext): Promise<Refusal | undefined> {
  const { config, name, pinMemory, log } = context;
  const pin = config.pin;
  if (pin === undefined || pin === '') {
    return { state: 'pin_required', error: 'the SIM asks for its PIN, and the option pin is not set' };
  }
  const left = await triesLeft(line, family);
  if (left !== undefined && left < 2) {
    return { state: 'pin_wrong', error: 'one PIN try is left on the SIM, which is not used up: unlock it in a phone' };
  }
  if ((left === undefined || left < FULL_TRIES) && (await pinMemory.tried(name, pin))) {
    return { state: 'pin_wrong', error: 'the SIM refused the option pin, which is not tried again until it changes' };
  }
  try {
    await pinMemory.note(name, pin);
  } catch (error) {
    return {
      state: 'pin_required',
      error: `the PIN is not tried, as the try cannot be noted: ${describeError(error)}`,
    };
  }
  log.info('giving the SIM its PIN');
  if ((await optional(line, `AT+CPIN="${pin}"`, { timeout: ENTRY_TIMEOUT })) !== undefined) return undefined;
  return { state: 'pin_wrong', error: 'the SIM refused the option pin, which is not tried again until it changes' };
}

/** Tries of a PIN that a SIM allows in a row. */
const FULL_TRIES = 3;

/** How many PIN tries the SIM still allows, where the modem says so. */
async function triesLeft(line: CommandLine, family: ModemFamily): Promise<number | undefined> {
  const standard = { command: 'AT+CPINR', match: /^\+CPINR:\s*"?SIM PIN"?\s*,\s*(\d+)/ };
  for (const { command, match } of [standard, ...(family.pinTries === undefined ? [] : [family.pinTries])]) {
    for (const text of (await optional(line, command)) ?? []) {
      const left = match.exec(text)?.[1];
      if (left !== undefined) return Number(left);
    }
  }
  return undefined;
}

/** Longest wait for +CFUN, ms. */
const TIMEOUT = 15_000;
/** ms that the SIM is without power in a radio cycle. */
const OFF = 2_000;

/** Values of +CFUN with which nothing is sent or received: off, one direction alone, flight mode, offline (TS 27.007 8.2). */
const offValues = new Set(['0', '2', '3', '4', '7']);

/** Switches the radio on when another program, or a stored setting, has left it off. */
export async function switchRadioOn(line: CommandLine, { log }: SessionContext): Promise<void> {
  const answer = await query(line, 'AT+CFUN?');
  const value = /^\+CFUN:\s*(\d+)/.exec(answer ?? '')?.[1];
  if (value === undefined || !offValues.has(value)) return;
  log.warning(`the radio of the modem is off (+CFUN: ${value}): it is switched on`);
  await optional(line, 'AT+CFUN=1', { timeout: TIMEOUT });
}

/** Switches radio and SIM off and on: that brings back a SIM that failed. */
async function cycleRadio(line: CommandLine, { clock }: SessionContext, signal: AbortSignal): Promise<void> {
  const off = await optional(line, 'AT+CFUN=0', { timeout: TIMEOUT });
  if (off === undefined) await optional(line, 'AT+CFUN=4', { timeout: TIMEOUT });
  await sleep(clock, OFF, signal);
  await optional(line, 'AT+CFUN=1', { timeout: TIMEOUT });
}
