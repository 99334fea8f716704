import { type Direction, decodePdu, encodePdu, encodeSubmit, fromHex } from '../../sms/index.ts';
import type { Arguments } from '../at/arguments.ts';
import type { CommandIo } from '../at/command.ts';
import { badArgument } from '../at/failure.ts';
import { charsetText } from '../charset.ts';
import type { ModemCore } from '../core.ts';
import { textSubmit } from '../text-submit.ts';
import { centreAddress } from '../tpdus.ts';

/** Shortest and longest TPDU that a modem takes, TS 27.005 3.1 <length>. */
const MIN_LENGTH = 7;
const MAX_LENGTH = 164;

/**
 * The message that the host types at the prompt, as a PDU with its SMSC field: hexadecimal in PDU mode, composed from
 * number and text in text mode. Undefined when ESC cancelled it.
 */
export async function typedMessage(
  modem: ModemCore,
  args: Arguments | undefined,
  io: CommandIo,
  direction: Direction,
): Promise<Uint8Array | undefined> {
  const { settings, sim } = modem;
  if (!settings.textMode) {
    if (args === undefined) throw badArgument();
    const length = args.atMost(2).integer(0, MIN_LENGTH, MAX_LENGTH);
    const typed = await io.prompt();
    return typed === undefined ? undefined : checkedPdu(typed, length, direction);
  }
  const number = charsetText(settings.charset, args?.atMost(3).string(0, '') ?? '');
  const type = args?.integer(1, 128, 255, number.startsWith('+') ? 145 : 129);
  const text = await io.prompt();
  if (text === undefined) return undefined;
  const submit = textSubmit(settings, type === 145 && !number.startsWith('+') ? `+${number}` : number, text);
  return encodePdu(centreAddress(sim.smsc), encodeSubmit(submit));
}

/** What was typed, if it is a PDU of the length that was announced and of the right kind. Throws SmsError otherwise. */
function checkedPdu(typed: string, length: number, direction: Direction): Uint8Array {
  const pdu = fromHex(typed.trim());
  const { tpdu, tpduLength } = decodePdu(pdu, direction);
  if (tpduLength !== length) throw badArgument();
  if (direction === 'to-network' && tpdu.type !== 'submit') throw badArgument();
  return pdu;
}
