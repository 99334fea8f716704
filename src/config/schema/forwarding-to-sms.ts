import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { checkSenders, enabledRow, everySms, listedNumbers, mode, senderNumber, sendingModem } from './shared-rows.ts';

export const forwardingToSms = {
  name: 'forwarding_to_sms',
  label: 'SMS Forwarding To SMS',
  help: 'Sends received messages on to other phones, never back to their sender.',
  options: {
    enabled: enabledRow('SMS Forwarding To SMS'),
    every_sms: everySms,
    sender_num: senderNumber,
    mode,
    senders_number: listedNumbers,
    number: {
      type: 'list',
      of: { type: 'phone' },
      needed: true,
      original: true,
      label: "Recipient's phone number(s)",
      help: 'Where messages are forwarded to.',
    },
    max_per_hour: {
      type: 'integer',
      min: 0,
      max: 10_000,
      unit: 'messages',
      default: 100,
      label: 'Messages an hour',
      help: 'Most messages that each recipient gets within an hour; further ones wait. Stops gateways that forward to each other in a ring. 0: no limit.',
    },
    modem: sendingModem,
  },
} as const satisfies SectionSchema;

type Checked = { readonly forwarding_to_sms: SectionConfig<typeof forwardingToSms> };

export function checkForwardingToSms({ forwarding_to_sms }: Checked, report: Report): void {
  checkSenders(forwarding_to_sms, 'senders_number', report);
}
