import { sameSubscriber } from '../phone-number.ts';

/** `mode` and `list number`, as every function has them that looks at who sent a message. */
export interface SenderFilter {
  readonly mode: 'everyone' | 'list';
  readonly numbers: readonly string[];
}

/** Whether a message of this sender is meant: everyone's, or those whose number is listed. */
export function acceptsSender({ mode, numbers }: SenderFilter, sender: string): boolean {
  return mode === 'everyone' || numbers.some((number) => sameSubscriber(number, sender));
}

/** TS 23.040 addresses that nobody can answer: names, and the short codes of services (fewer than seven digits). */
export function isSubscriber(sender: string): boolean {
  return /^\+?[0-9]{7,}$/.test(sender);
}
