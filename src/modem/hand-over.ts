import { unlessAborted } from '../base/abort.ts';
import { describeError } from '../base/errors.ts';
import { decodePdu, type Reading, SmsError, type Tpdu } from '../sms/index.ts';
import type { SessionContext } from './session-context.ts';

/**
 * What became of a PDU: `taken`, the modem may forget it; `left`, it is not a received message or cannot be read yet; `failed`,
 * it could not be stored, and that is worth another try.
 */
export type HandedOver = 'taken' | 'left' | 'failed';

/** Hands one received PDU to the inbox or the outbox. Rejects only with the signal's reason. */
export async function handOver(
  pdu: Uint8Array,
  whole: boolean,
  context: SessionContext,
  signal: AbortSignal,
): Promise<HandedOver> {
  const { faults, board, inbound, name, clock } = context;
  // A PDU that the modem cut off is whole the next time; a damaged one never is.
  const tpdu = readable(pdu, whole ? 'lenient' : 'strict');
  if (tpdu === undefined && !whole) {
    faults.fault('cut', 'the modem gives a message that is cut off; it stays on the modem');
    return 'left';
  }
  try {
    if (tpdu?.type === 'status-report') {
      const { mr, recipient, status, time, discharge } = tpdu;
      const discharged = (discharge ?? time)?.ms ?? clock.now();
      const report = { modem: name, mr, number: recipient.value, status, discharged };
      await unlessAborted(inbound.report(report), signal);
    } else if (tpdu === undefined && messageType(pdu) === STATUS_REPORT) {
      faults.fault('report', 'a status report cannot be read and is dropped');
    } else if (tpdu === undefined || tpdu.type === 'deliver') {
      await unlessAborted(inbound.deliver(pdu, tpdu), signal);
      board.count('received');
    } else {
      // A SUBMIT among the received messages: somebody composed it, and it stays.
      return 'left';
    }
    faults.over('store');
    return 'taken';
  } catch (error) {
    signal.throwIfAborted();
    board.count('errors');
    faults.fault('store', `received messages stay on the modem: ${describeError(error)}`);
    return 'failed';
  }
}

/** TP-MTI of a status report (TS 23.040 9.2.3.1). */
const STATUS_REPORT = 2;

/** TP-MTI, behind the SMSC field. */
function messageType(pdu: Uint8Array): number {
  return (pdu[1 + (pdu[0] ?? 0)] ?? 0) & 0x03;
}

function readable(pdu: Uint8Array, reading: Reading): Tpdu | undefined {
  try {
    return decodePdu(pdu, 'to-mobile', reading).tpdu;
  } catch (error) {
    if (error instanceof SmsError) return undefined;
    throw error;
  }
}
