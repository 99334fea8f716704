import type { ForwardingToSmtpConfig } from '../../config/config.ts';
import type { InboxMessage } from '../../store/message.ts';
import type { OutgoingMail } from '../kit/mail/mailer.ts';
import { messageIdOf } from '../kit/mail/message-id.ts';
import { readableText } from '../kit/readable-text.ts';

/** The mail that forwards the message. `token` lets an answer go back. */
export function forwardedMail(
  message: InboxMessage,
  to: string,
  { subject, senderemail, sender_num }: ForwardingToSmtpConfig,
  token?: string,
): OutgoingMail {
  const { id, number, time, received } = message;
  const content = readableText(message);
  return {
    to,
    subject: [subject, token].filter(Boolean).join(' '),
    text: sender_num ? `${content}\nSMS forwarded from: ${number}` : content,
    messageId: messageIdOf([id, received, time, number, to], senderemail),
    automatic: 'auto-generated',
  };
}
