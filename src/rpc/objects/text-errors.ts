import { GatewayError } from '../../base/errors.ts';
import { SmsError } from '../../sms/index.ts';

/** Runs what encodes a caller's text; what the codec refuses becomes the caller's error. */
export function refusingText<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof SmsError)) throw error;
    throw new GatewayError(error.code === 'too_long' ? 'text_too_long' : 'invalid_text', error.message);
  }
}
