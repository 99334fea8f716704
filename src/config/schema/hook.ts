import { eventRows } from './event-rows.ts';
import type { Report, SectionConfig, SectionSchema } from './option.ts';
import { retryHours } from './shared-rows.ts';

export const hook = {
  name: 'hook',
  label: 'Hook',
  help: 'A program that runs when something happens. One section for each; give it a name, so that what waits for it finds it again. docs/hooks.md says what the program gets.',
  options: {
    enabled: { type: 'boolean', default: true, label: 'Enable', help: 'Turns the hook on or off.' },
    argv: {
      type: 'list',
      of: { type: 'string', maxLength: 1000 },
      needed: true,
      label: 'Program and arguments',
      help: "Absolute path of the program, then its arguments, one a list element. No shell. The program must belong to root or the gateway's user, and nobody else may be able to write to it.",
    },
    ...eventRows,
    style: {
      type: 'enum',
      values: ['own', 'smsd', 'gammu'],
      default: 'own',
      label: 'Called like',
      help: 'What follows the arguments: nothing; as smsd of smstools calls its eventhandler, the kind of event, a file with the message, its id; as gammu-smsd calls RunOnReceive, the id.',
    },
    timeout: {
      type: 'integer',
      min: 1,
      max: 240,
      unit: 'seconds',
      default: 30,
      label: 'Time-out',
      help: 'Seconds after which the program is killed, with what it has started. So it is when the gateway stops.',
    },
    attempts: {
      type: 'integer',
      min: 1,
      max: 100,
      unit: 'runs',
      default: 3,
      label: 'Attempts',
      help: 'Runs for one event before a program that ends with an exit code other than 0 and 75 is given up.',
    },
    retry_hours: {
      ...retryHours,
      help: 'Hours during which a program that ended with 75, was killed or could not be started is run again, also across restarts. 0: one try only.',
    },
  },
} as const satisfies SectionSchema;

export function checkHooks({ hooks }: { readonly hooks: readonly SectionConfig<typeof hook>[] }, report: Report): void {
  for (const hook of hooks) {
    if (!hook.enabled) continue;
    const [program = ''] = hook.argv;
    if (!program.startsWith('/')) report.error(hook, 'argv', 'must begin with the absolute path of a program');
    if (hook.argv.some((argument) => argument.includes('\0'))) report.error(hook, 'argv', 'has a NUL');
  }
}
