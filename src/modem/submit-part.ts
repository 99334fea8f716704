import { addressOf, encodePdu, encodeSubmit, relativeValidity, SmsError, toHex, toUserData } from '../sms/index.ts';
import type { PartToSend, SendOutcome } from '../store/sender.ts';
import type { AtChannel } from './at/channel.ts';
import type { SubmitDeadlines, SubmitResult } from './at/submission.ts';
import { cmsCause, sourceOf } from './cms-causes.ts';

/** TS 27.005 names no limits; for +CMGS vendors name 120 to 150 s, and 135 s were measured. */
const deadlines: SubmitDeadlines = { prompt: 10_000, reference: 160_000 };

/** Sends one part. `smsc` overrides the service centre of the SIM. Never rejects. */
export async function submitPart(
  channel: AtChannel,
  part: PartToSend,
  smsc: string | undefined,
  signal: AbortSignal,
): Promise<SendOutcome> {
  let tpdu: Uint8Array;
  let pdu: string;
  try {
    tpdu = encodeSubmit({
      to: addressOf(part.number),
      pid: part.pid,
      dcs: part.dcs,
      validity: relativeValidity(part.validity),
      userData: toUserData(part.udh, part.data),
      statusReportRequest: part.report,
    });
    pdu = toHex(encodePdu(smsc === undefined ? undefined : addressOf(smsc), tpdu));
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    return { type: 'rejected', by: 'gateway', fault: 'message', permanent: true, reason: error.message };
  }
  try {
    return outcome(await channel.transaction('submit', signal, (line) => line.submit(tpdu.length, pdu, deadlines)));
  } catch (error) {
    // Only the wait for the line can throw.
    return { type: 'unavailable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** What an answer to AT+CMGS means for the outbox. */
export function outcome(result: SubmitResult): SendOutcome {
  switch (result.type) {
    case 'accepted':
      return { type: 'accepted', mr: result.mr ?? UNKNOWN_MR };
    case 'refused': {
      const { cause } = result;
      const { text, permanent, fault } = cmsCause(cause);
      const rejection = { type: 'rejected', by: sourceOf(cause), fault, permanent } as const;
      return cause === undefined ? { ...rejection, reason: result.reason } : { ...rejection, cause, reason: text };
    }
    case 'not_sent':
      return { type: 'unavailable', reason: result.reason };
    case 'unanswered':
      return { type: 'ambiguous', reason: result.reason };
  }
}

/** For a modem that says OK and gives no reference: no TP-MR has this value, so no report and no evidence matches it. */
const UNKNOWN_MR = -1;
