import { sleep } from '../base/clock.ts';
import type { Wake } from '../base/wake.ts';
import { AtError } from './at/answer.ts';
import { type CommandOptions, informationName } from './at/exchange.ts';
import { busyness, type CommandLine, optional, query } from './at/line.ts';
import { familyOf, identifyModem, identifySim, type ModemFamily } from './families.ts';
import type { MessageStorage } from './message-storage.ts';
import type { RegistrationWatch } from './network.ts';
import type { Routing } from './routing.ts';
import type { SessionContext } from './session-context.ts';
import { switchRadioOn, unlockSim } from './sim-card.ts';

/** The parts of a session that need the modem set up for them. */
export interface Prepared {
  readonly storage: MessageStorage;
  readonly routing: Routing;
  readonly registration: RegistrationWatch;
  /** Called on each code about the SIM. */
  readonly simCode: Wake;
}

/** What is known of a modem once it is set up. */
export interface SetUp {
  readonly family: ModemFamily;
  /** Indicators of +CIEV that say that a message memory is full. */
  readonly memoryIndicators: ReadonlySet<number>;
}

/**
 * Sets up a modem that has just been opened or has just started. Only the PDU mode is indispensable; whatever else a
 * modem refuses, it is used without. Throws AtError.
 */
export async function initialise(
  bare: CommandLine,
  { storage, routing, registration, simCode }: Prepared,
  context: SessionContext,
  signal: AbortSignal,
): Promise<SetUp> {
  const { board, config, log } = context;
  const line = patientLine(bare, context, signal);
  await optional(line, 'ATE0');
  await optional(line, 'AT+CMEE=1');
  const modem = await identifyModem(line);
  board.note(modem);
  let family = familyOf(modem.manufacturer);
  await switchRadioOn(line, context);
  await unlockSim(bare, family, context, signal, simCode);

  if ((await optional(line, 'AT+CMGF=0')) === undefined) throw new AtError('error', 'the modem refuses the PDU mode');
  if ((await optional(line, 'AT+CSCS="GSM"')) === undefined) family = { ...family, asciiUssd: true };
  board.note(await identifySim(line, family));
  if (config.smsc === undefined) await warnWithoutServiceCentre(line, context);
  if (family.codePort !== undefined) await directCodesHere(line, family.codePort, context);
  await storage.prepare(line, config.storage);
  const direct = config.delivery === 'direct' || (config.delivery === 'auto' && storage.memories.length === 0);
  if (!(await routing.prepare(line, config.reports, direct)))
    log.warning(`the modem announces no messages: its memories are read every ${config.sweep_interval} s`);
  // Keep the link open between parts that follow at once (TS 27.005 3.5.6).
  await optional(line, 'AT+CMMS=2');
  // Names of networks in the long form.
  await optional(line, 'AT+COPS=3,0', { timeout: 15_000 });
  await registration.prepare(line);
  // Who calls (TS 27.007 7.11), and where a memory that is full shows among the indicators (8.9).
  await optional(line, 'AT+CLIP=1');
  const indicators = await memoryIndicators(line);
  for (const command of config.init) {
    if ((await optional(line, command, { timeout: 15_000 })) !== undefined) continue;
    // The name alone: the rest may be a password.
    log.warning(`the modem refuses ${informationName(command) ?? 'a command'} of the option init`);
  }
  await routing.adopt(line);
  return { family, memoryIndicators: indicators };
}

/** Sets a modem that sends its codes to one port only to send them to this one. */
async function directCodesHere(
  line: CommandLine,
  { ask, set }: NonNullable<ModemFamily['codePort']>,
  { board, log }: SessionContext,
): Promise<void> {
  const command = set((await optional(line, ask)) ?? [], board.snapshot().device);
  if (command === undefined) return;
  log.info(`the modem sends its codes to another port, and is set right by ${command}`);
  await optional(line, command);
}

/** Places of the indicators that stand for a full message memory: `+CIND: ("signal",(0-5)),("smsfull",(0-1))`. */
async function memoryIndicators(line: CommandLine): Promise<ReadonlySet<number>> {
  const answer = (await query(line, 'AT+CIND=?')) ?? '';
  return smsFullIndicators(answer);
}

/** The places, from 1 on, of `smsfull` in the answer to AT+CIND=?. */
export function smsFullIndicators(answer: string): ReadonlySet<number> {
  const names = [...answer.matchAll(/\(\s*"?([^"(),]+)"?\s*,\s*\(/g)].map((match) => match[1]?.trim().toLowerCase());
  return new Set(names.flatMap((name, i) => (name === 'smsfull' ? [i + 1] : [])));
}

async function warnWithoutServiceCentre(line: CommandLine, { faults }: SessionContext): Promise<void> {
  const answer = await query(line, 'AT+CSCA?');
  if (answer !== undefined && /^\+CSCA:\s*""/.test(answer)) {
    faults.fault('smsc', 'the SIM has no service centre number and the option smsc is not set: nothing can be sent');
  } else faults.over('smsc');
}

/** ms until a step that was refused as busy is asked again; doubles up to the longest. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
/** ms that a busy SIM gets for one step; after that the modem counts as silent. */
const BUSY_PATIENCE = 180_000;
/** ms that all steps together get whose refusal may also be for good. */
const PERHAPS_PATIENCE = 30_000;

/**
 * The line for setting up a modem whose SIM may be busy in the first seconds: what is refused as busy is asked again
 * until it is done, and the state says so. Busy is not unsupported.
 */
function patientLine(
  line: CommandLine,
  { board, clock, refusedForGood }: SessionContext,
  signal: AbortSignal,
): CommandLine {
  let perhapsLeft = PERHAPS_PATIENCE;

  const command = async (text: string, options?: CommandOptions): Promise<readonly string[]> => {
    const began = clock.monotonic();
    for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      try {
        const lines = await line.command(text, options);
        refusedForGood.delete(text);
        return lines;
      } catch (error) {
        const busy = error instanceof AtError ? busyness(error) : undefined;
        if (busy === undefined || (busy === 'perhaps' && !isMessageCommand(text))) throw error;
        if (busy === 'perhaps' && (perhapsLeft <= 0 || refusedForGood.has(text))) {
          // Not the others: without them the modem is of no use. The sweeps ask for the indications again.
          if (text.startsWith('AT+CNMI')) refusedForGood.add(text);
          throw error;
        }
        if (clock.monotonic() - began >= BUSY_PATIENCE) throw new AtError('silent', 'the SIM stays busy');
        board.enter('setting_up', `the modem is busy, ${informationName(text) ?? text} is asked again`);
        await sleep(clock, wait, signal);
        if (busy === 'perhaps') perhapsLeft -= wait;
      }
    }
  };
  return { command };
}

/** The commands of TS 27.005 without which no message comes; for others a refusal that may be for good counts as one. */
function isMessageCommand(text: string): boolean {
  return /^AT\+(CPMS|CNMI|CMGF|CSMS)\b/.test(text);
}
