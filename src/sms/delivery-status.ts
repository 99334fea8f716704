/** The fate of a message by its TP-ST, TS 23.040 9.2.3.15. */
export type DeliveryStatus =
  /** The recipient has it, as far as the service centre knows. */
  | 'delivered'
  /** A later message took its place. */
  | 'replaced'
  /** Not delivered yet; the service centre keeps trying. */
  | 'pending'
  /** Its validity ran out. */
  | 'expired'
  /** The service centre will not try again: the reason is permanent. */
  | 'failed'
  /** The service centre gave up for a reason that may pass. */
  | 'temporary';

const REPLACED = 0x02;
const EXPIRED = 0x46;

/** Reserved values above 0x7F read as service rejected (0x63), TS 23.040 9.2.3.15. */
export function statusOf(status: number): DeliveryStatus {
  if (status === REPLACED) return 'replaced';
  if (status < 0x20) return 'delivered';
  if (status < 0x40) return 'pending';
  if (status === EXPIRED) return 'expired';
  return status < 0x60 ? 'failed' : 'temporary';
}

const PASSING = [
  'congestion',
  'recipient busy',
  'no answer from the recipient',
  'service rejected',
  'quality of service not available',
  'error in the recipient',
];

const REASONS: ReadonlyMap<number, string> = new Map([
  [0x00, 'received by the recipient'],
  [0x01, 'forwarded, receipt unconfirmed'],
  [REPLACED, 'replaced by a later message'],
  ...PASSING.flatMap((reason, at): [number, string][] => [
    [0x20 + at, reason],
    [0x60 + at, reason],
  ]),
  [0x40, 'remote procedure error'],
  [0x41, 'incompatible destination'],
  [0x42, 'connection rejected by the recipient'],
  [0x43, 'not obtainable'],
  [0x44, 'quality of service not available'],
  [0x45, 'no interworking available'],
  [EXPIRED, 'validity period expired'],
  [0x47, 'deleted by the sender'],
  [0x48, 'deleted by the service centre'],
  [0x49, 'unknown to the service centre'],
]);

/** The standard's words for a TP-ST, for people. */
export function statusReason(status: number): string {
  return REASONS.get(status) ?? `status 0x${status.toString(16).padStart(2, '0')}`;
}
