import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { checkSenders, enabledRow, everySms, listedNumbers, mode } from './shared-rows.ts';

export const autoReply = {
  name: 'auto_reply',
  label: 'Auto Reply',
  help: 'Answers received messages with a fixed text.',
  options: {
    enabled: enabledRow('Auto Reply'),
    every_sms: {
      ...everySms,
      label: 'Reply SMS Utilities rules',
      help: 'On: messages that trigger a rule are answered as well.',
    },
    delete_msg: {
      type: 'boolean',
      default: false,
      original: true,
      label: "Don't save received messages",
      help: 'On: every received message is deleted after all functions have handled it.',
    },
    msg: {
      type: 'string',
      maxLength: 4000,
      needed: true,
      original: true,
      label: 'Message text',
      help: 'Text of the answer. Placeholders: %rn router name, %wi WAN address, %cs data connection state, %ct connection type, %ss signal strength, %fs new firmware, %sn number of the sender, %dt date and time; %% is a percent sign.',
    },
    mode: { ...mode, help: 'Answers everyone, or the listed numbers only.' },
    number: { ...listedNumbers, label: "Recipient's phone number", help: 'The numbers that mode "list" answers.' },
    max_per_hour: {
      type: 'integer',
      min: 1,
      max: 1000,
      unit: 'replies',
      default: 4,
      label: 'Replies an hour',
      help: 'Most answers that one sender gets within an hour, also across restarts. Stops two machines that answer each other.',
    },
    min_digits: {
      type: 'integer',
      min: 0,
      max: 20,
      unit: 'digits',
      default: 7,
      label: 'Shortest sender',
      help: 'Senders with fewer digits are services and get no answer; 0 answers them too. Senders with a name instead of a number never get an answer.',
    },
  },
} as const satisfies SectionSchema;

export function checkAutoReply({ auto_reply }: { auto_reply: SectionConfig<typeof autoReply> }, report: Report): void {
  checkSenders(auto_reply, 'number', report);
}
