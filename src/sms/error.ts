import { GatewayError } from '../base/errors.ts';

export type SmsErrorCode =
  /** The octets end before the field does. */
  | 'truncated'
  /** A field holds what the standard does not allow. */
  | 'invalid'
  /** A message type that the standard reserves. */
  | 'unsupported'
  /** A character that the wanted alphabet has not. */
  | 'unencodable'
  /** More than the field, or 255 parts, can hold. */
  | 'too_long';

/** The only error that this codec throws. `message` names the field and holds nothing of the message's text. */
export class SmsError extends Error {
  readonly code: SmsErrorCode;

  constructor(code: SmsErrorCode, message: string) {
    super(message);
    this.name = 'SmsError';
    this.code = code;
  }
}

/** Runs what encodes a caller's text; what the codec refuses becomes the caller's error. */
export function refusingText<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    throw new GatewayError(error.code === 'too_long' ? 'text_too_long' : 'invalid_text', error.message);
  }
}
