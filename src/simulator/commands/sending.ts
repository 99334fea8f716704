import { addressOf, type Direction, decodePdu, decodeTpdu, encodePdu, encodeSubmit, fromHex } from '../../sms/index.ts';
import type { Arguments } from '../at/command.ts';
import { type CommandFamily, type CommandIo, type Lines, ok } from '../at/command.ts';
import { badArgument, cms } from '../at/failure.ts';
import type { ModemCore } from '../core.ts';
import { charsetText, textSubmit } from '../text-mode.ts';
import { centreAddress, tpduOctets } from '../tpdus.ts';

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

const INVALID_INDEX = 321;
const SMSC_UNKNOWN = 330;
const NO_NETWORK = 331;
const INVALID_PDU_PARAMETER = 304;

/** Gives the message its TP-MR and hands it to the network. Resolves to the TP-MR. */
async function submit(modem: ModemCore, command: string, pdu: Uint8Array): Promise<number> {
  const { boots } = modem;
  if (pdu[0] === 0 && modem.sim.smsc === '') throw cms(SMSC_UNKNOWN);
  await modem.timers.wait(modem.latency.submit);
  if (!modem.radio.registered || boots !== modem.boots) throw cms(NO_NETWORK);
  const refused = modem.faults.take('cms_error', command);
  if (refused !== undefined) throw cms(refused.cause);
  if (modem.refusing !== undefined) throw cms(modem.refusing);
  const mr = modem.nextReference();
  const numbered = Uint8Array.from(tpduOctets(pdu));
  // TP-MR is the second octet of a SMS-SUBMIT; whatever the host put there, the modem counts (TS 23.040 9.2.3.6).
  numbered[1] = mr;
  const decoded = decodeTpdu(numbered, 'to-network');
  if (decoded.type !== 'submit') throw cms(INVALID_PDU_PARAMETER);
  modem.network.submit(decoded, numbered);
  const lost = modem.faults.take('sent_with_error');
  if (lost !== undefined) throw cms(lost.cause);
  await modem.timers.wait(modem.faults.take('late_answer')?.ms ?? 0);
  return mr;
}

/** Sending: TS 27.005 3.5.1, 3.5.2, 4.3, 4.7. */
export const sendingCommands: CommandFamily = {
  '+CMGS': {
    errors: 'cms',
    sim: true,
    sends: true,
    set: async (modem, args, io): Promise<Lines> => {
      if (modem.settings.textMode) args.string(0);
      const pdu = await typedMessage(modem, args, io, 'to-network');
      return pdu === undefined ? ok : [`+CMGS: ${await submit(modem, '+CMGS', pdu)}`];
    },
  },
  '+CMSS': {
    errors: 'cms',
    sim: true,
    sends: true,
    set: async (modem, args): Promise<Lines> => {
      const { settings, memories } = modem;
      const stored = memories[settings.memories[1]].get(args.atMost(3).integer(0, 0, 65_535));
      if (stored === undefined || stored.state < 2) throw cms(INVALID_INDEX);
      let { pdu } = stored;
      if (args.has(1)) {
        const decoded = decodeTpdu(tpduOctets(pdu), 'to-network');
        if (decoded.type !== 'submit') throw cms(INVALID_PDU_PARAMETER);
        const to = addressOf(charsetText(settings.charset, args.string(1)));
        pdu = encodePdu(undefined, encodeSubmit({ ...decoded, to }));
      }
      const mr = await submit(modem, '+CMSS', pdu);
      stored.state = 3;
      return [`+CMSS: ${mr}`];
    },
  },
};
