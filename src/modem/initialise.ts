import { AtError } from './at/at-error.ts';
import type { AtLine } from './at/channel.ts';
import { informationName } from './at/command.ts';
import { identifyModem, identifySim } from './identity.ts';
import type { LifeContext } from './life-context.ts';
import type { MessageStorage } from './message-storage.ts';
import { optional } from './optional.ts';
import { unlockSim } from './pin.ts';
import { type Quirks, quirksOf } from './quirks.ts';
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

/**
 * Sets up a modem that has just been opened or has just started. Only the PDU mode is indispensable; whatever else a
 * modem refuses, it is used without. Throws AtError.
 */
export async function initialise(
  line: AtLine,
  { storage, routing, registration, simCode }: Prepared,
  context: LifeContext,
  signal: AbortSignal,
): Promise<Quirks> {
  const { board, config, log } = context;
  await optional(line, 'ATE0');
  await optional(line, 'AT+CMEE=1');
  const modem = await identifyModem(line);
  board.note(modem);
  let quirks = quirksOf(modem.manufacturer);
  await unlockSim(line, quirks, context, signal, simCode);

  if ((await optional(line, 'AT+CMGF=0')) === undefined) throw new AtError('error', 'the modem refuses the PDU mode');
  if ((await optional(line, 'AT+CSCS="GSM"')) === undefined) quirks = { ...quirks, asciiUssd: true };
  board.note(await identifySim(line, quirks));
  if (config.smsc === undefined) await warnWithoutServiceCentre(line, context);
  await storage.prepare(line, config.storage);
  if (!(await routing.prepare(line, config.reports)))
    log.warning('the modem announces no messages: they are found by looking');
  // Keep the link open between parts that follow at once (TS 27.005 3.5.6).
  await optional(line, 'AT+CMMS=2');
  // Names of networks in the long form.
  await optional(line, 'AT+COPS=3,0', { timeout: 15_000 });
  await registration.prepare(line);
  for (const command of config.init) {
    if ((await optional(line, command, { timeout: 15_000 })) !== undefined) continue;
    // The name alone: the rest may be a password.
    log.warning(`the modem refuses ${informationName(command) ?? 'a command'} of the option init`);
  }
  await routing.adopt(line);
  return quirks;
}

async function warnWithoutServiceCentre(line: AtLine, { faults }: LifeContext): Promise<void> {
  const answer = (await optional(line, 'AT+CSCA?'))?.find((text) => text.startsWith('+CSCA:'));
  if (answer !== undefined && /^\+CSCA:\s*""/.test(answer)) {
    faults.fault('smsc', 'the SIM has no service centre number and the option smsc is not set: nothing can be sent');
  } else faults.over('smsc');
}
