import { createHash } from 'node:crypto';

/** How the Message-ID of every mail of ours begins. */
export const OWN_MAIL = '<sms-gateway.';

/** The Message-ID of the mail that these facts make: the same for each try, and for nothing else. RFC 5322 3.6.4. */
export function messageIdOf(facts: readonly (string | number)[], sender: string): string {
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
  return `${OWN_MAIL}${digest}${sender.slice(sender.lastIndexOf('@'))}>`;
}
