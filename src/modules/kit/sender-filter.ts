import { sameSubscriber } from '../../base/phone-number.ts';

/** `mode` and `list number`, as every function has them that looks at who sent a message. */
export interface SenderFilter {
  readonly mode: 'everyone' | 'list';
  readonly numbers: readonly string[];
}

/** Whether a message of this sender is meant: everyone's, or those whose number is listed. */
export function acceptsSender({ mode, numbers }: SenderFilter, sender: string): boolean {
  return mode === 'everyone' || numbers.some((number) => sameSubscriber(number, sender));
}

/** Whether somebody can be answered there: no name (TS 23.040 9.1.2.5), and no short code of a service. */
export function isSubscriber(sender: string, minDigits: number): boolean {
  const digits = /^\+?([0-9]+)$/.exec(sender)?.[1];
  return digits !== undefined && digits.length >= minDigits;
}
