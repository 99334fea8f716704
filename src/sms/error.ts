import { GatewayError } from '../base/errors.ts';

export type SmsErrorCode =
  /** The octets end before the field does. */
  | 'truncated'
  /** A field holds what the standard does not allow. */
  | 'invalid'
  /** A message type that the standard reserves. */
  | 'unsupported'
  /** A character that the wanted alphabet does not have. */
  | 'unencodable'
  /** More than the field, or 255 parts, can hold. */
  | 'too_long';

/** The only error that this codec throws. `message` names the field and never contains text of the message. */
export class SmsError extends Error {
  readonly code: SmsErrorCode;

  constructor(code: SmsErrorCode, message: string) {
    super(message);
    this.name = 'SmsError';
    this.code = code;
  }
}

/** Encodes a text that a caller gives. Throws GatewayError `text_too_long` or `invalid_text` for an SmsError. */
export function refusingText<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    throw new GatewayError(error.code === 'too_long' ? 'text_too_long' : 'invalid_text', error.message);
  }
}
