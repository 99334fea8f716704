import { AtError } from './at/at-error.ts';
import type { CommandLine } from './at/channel.ts';
import { informationName } from './at/command.ts';
import { identifyModem, identifySim } from './identity.ts';
import type { LifeContext } from './life-context.ts';
import type { MessageStorage } from './message-storage.ts';
import { optional } from './optional.ts';
import { patientLine } from './patient-line.ts';
import { unlockSim } from './pin.ts';
import { type Quirks, quirksOf } from './quirks.ts';
import { switchRadioOn } from './radio.ts';
import type { RegistrationWatch } from './registration.ts';
import type { Routing } from './routing.ts';
import type { Wake } from './wake.ts';

/** The parts of a session that need the modem set up for them. */
export interface Prepared {
  readonly storage: MessageStorage;
  readonly routing: Routing;
  readonly registration: RegistrationWatch;
  /** The modem said something of its SIM. */
  readonly simCode: Wake;
}

/** What is known of a modem once it is set up. */
export interface SetUp {
  readonly quirks: Quirks;
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
  context: LifeContext,
  signal: AbortSignal,
): Promise<SetUp> {
  const { board, config, log } = context;
  const line = patientLine(bare, context, signal);
  await optional(line, 'ATE0');
  await optional(line, 'AT+CMEE=1');
  const modem = await identifyModem(line);
  board.note(modem);
  let quirks = quirksOf(modem.manufacturer);
  await switchRadioOn(line, context);
  await unlockSim(bare, quirks, context, signal, simCode);

  if ((await optional(line, 'AT+CMGF=0')) === undefined) throw new AtError('error', 'the modem refuses the PDU mode');
  if ((await optional(line, 'AT+CSCS="GSM"')) === undefined) quirks = { ...quirks, asciiUssd: true };
  board.note(await identifySim(line, quirks));
  if (config.smsc === undefined) await warnWithoutServiceCentre(line, context);
  if (quirks.codePort !== undefined) await directCodesHere(line, quirks.codePort, context);
  await storage.prepare(line, config.storage);
  const direct = config.delivery === 'direct' || (config.delivery === 'auto' && storage.memories.length === 0);
  if (!(await routing.prepare(line, config.reports, direct)))
    log.warning('the modem announces no messages: they are found by looking');
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
  return { quirks, memoryIndicators: indicators };
}

/** Has the modem send its codes to the port that is in use here, where it sends them to one port only. */
async function directCodesHere(
  line: CommandLine,
  { ask, set }: NonNullable<Quirks['codePort']>,
  { board, log }: LifeContext,
): Promise<void> {
  const command = set((await optional(line, ask)) ?? [], board.snapshot().device);
  if (command === undefined) return;
  log.info(`the modem sends its codes to another port: ${command}`);
  await optional(line, command);
}

/** Places of the indicators that stand for a full message memory: `+CIND: ("signal",(0-5)),("smsfull",(0-1))`. */
async function memoryIndicators(line: CommandLine): Promise<ReadonlySet<number>> {
  const answer = (await optional(line, 'AT+CIND=?'))?.find((text) => text.startsWith('+CIND:')) ?? '';
  return smsFullIndicators(answer);
}

/** The places, from 1 on, of `smsfull` in the answer to AT+CIND=?. */
export function smsFullIndicators(answer: string): ReadonlySet<number> {
  const names = [...answer.matchAll(/\(\s*"?([^"(),]+)"?\s*,\s*\(/g)].map((match) => match[1]?.trim().toLowerCase());
  return new Set(names.flatMap((name, i) => (name === 'smsfull' ? [i + 1] : [])));
}

async function warnWithoutServiceCentre(line: CommandLine, { faults }: LifeContext): Promise<void> {
  const answer = (await optional(line, 'AT+CSCA?'))?.find((text) => text.startsWith('+CSCA:'));
  if (answer !== undefined && /^\+CSCA:\s*""/.test(answer)) {
    faults.fault('smsc', 'the SIM has no service centre number and the option smsc is not set: nothing can be sent');
  } else faults.over('smsc');
}
