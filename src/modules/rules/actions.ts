import { foreignActions, isOwnAction, type OwnAction } from '../../config/schema/rule.ts';
import { RouterError } from '../../system/router.ts';
import type { ProgramEnd, RunOptions } from '../../system/run-program.ts';
import { fillPlaceholders, placeholderValues } from '../kit/placeholders.ts';
import {
  type Action,
  type Execution,
  failure,
  isOverLimit,
  type Result,
  type RulesContext,
  sendAnswer,
} from './execution.ts';
import { routerActions } from './router-actions.ts';

/** As the original's factory rules have it. */
const STATUS_MESSAGE =
  'Router name - %rn; WAN IP - %wi; Data Connection state - %cs; Connection type - %ct; Signal strength - %ss; New FW available - %fs;';

/** How long the status may take to leave before a restart, ms; the outbox keeps it if it takes longer. */
const STATUS_MS = 60_000;
const REBOOT_MS = 30_000;
const UBUS_MS = 20_000;
/** Octets: more than fits in the longest answer. */
const MAX_OUTPUT = 8_192;

/** Actions that the gateway carries out by itself. */
const ownActions = {
  send_status: async (context, execution) => ({
    summary: 'status sent',
    answer: await filled(context, execution, STATUS_MESSAGE),
  }),

  async send_sms(context, execution) {
    const { rule, message } = execution;
    const text = await filled(context, execution, '');
    const refused: string[] = [];
    for (const number of new Set(rule.to_number)) {
      try {
        await context.outbox.submit({
          ...{ number, source: context.name, clientRef: `${message.id}:send:${number}` },
          content: { type: 'text', text },
          ...(rule.modem !== undefined && { modem: rule.modem }),
        });
      } catch (error) {
        // Other rules wait behind this one.
        if (!isOverLimit(error)) throw error;
        refused.push(error.message);
      }
    }
    return refused.length === 0 ? { summary: `sent to ${rule.to_number.join(', ')}` } : failure(refused.join('; '));
  },

  async reboot(context, execution) {
    const { rule, signal, commit } = execution;
    if (rule.status_sms) await sendStatus(context, execution);
    await commit();
    const end = await context.system.reboot(runOptions(context, signal, REBOOT_MS));
    return end.code === 0 ? { summary: 'restarting' } : programResult('reboot', end);
  },

  async ubus(context, { rule, signal, commit }) {
    const { object = '', method = '', args = '{}' } = rule;
    await commit();
    const end = await context.system.ubus(object, method, args, runOptions(context, signal, UBUS_MS));
    return programResult(`${object} ${method}`, end);
  },

  async command(context, { rule, signal, commit }) {
    const command = context.config.commands.find(({ name }) => name === rule.command);
    if (command === undefined) return failure(`there is no command ${rule.command}`);
    const refused = await distrustCommand(context, command);
    if (refused !== undefined) return failure(`${command.name} does not run: ${refused}`);
    await commit();
    const end = await context.system.run(command.argv, runOptions(context, signal, command.timeout * 1000));
    return programResult(command.name, end);
  },

  async switch_modem({ modems, outbox }, { rule: { modem = '' } }) {
    if (modems.find(modem) === undefined) return failure(`modem ${modem} is not in use`);
    await outbox.prefer(modem);
    return { summary: `${modem} sends now`, answer: `${modem} sends now` };
  },
} as const satisfies Partial<Record<OwnAction, Action>>;

const actions: Readonly<Record<OwnAction, Action>> = { ...ownActions, ...routerActions };

/** Carries out a rule. Throws GatewayError when it could not and nothing was done yet: then it may be tried again. */
export async function carryOut(context: RulesContext, execution: Execution): Promise<Result> {
  const { action } = execution.rule;
  if (!isOwnAction(action)) return failure(`${action} is not carried out here: ${foreignActions[action]}`);
  try {
    return await actions[action](context, execution);
  } catch (error) {
    if (error instanceof RouterError) return failure(error.message);
    throw error;
  }
}

/** Why the program of a command must not run; the module shows it until it may. */
export async function distrustCommand(
  { system, health }: RulesContext,
  { name, argv }: RulesContext['config']['commands'][number],
): Promise<string | undefined> {
  const reason = await system.distrust(argv[0] ?? '');
  const work = `command ${name}`;
  if (reason === undefined) health.succeeded(work);
  else health.failed(work, `${work} does not run: ${reason}`);
  return reason;
}

function filled(context: RulesContext, { rule, message }: Execution, otherwise: string): Promise<string> {
  return fillPlaceholders(rule.message ?? otherwise, placeholderValues(message, context));
}

/** Sends the status and waits until it has left, for a while. */
async function sendStatus(context: RulesContext, execution: Execution): Promise<void> {
  const { outbox, clock } = context;
  const { signal } = execution;
  const answers = await sendAnswer(context, execution, 'status', await filled(context, execution, STATUS_MESSAGE));
  const late = new AbortController();
  const cancel = clock.after(STATUS_MS, () => late.abort());
  try {
    const waited = AbortSignal.any([signal, late.signal]);
    await Promise.allSettled(answers.map(({ id }) => outbox.settled(id, waited)));
    signal.throwIfAborted();
  } finally {
    cancel();
  }
}

const runOptions = ({ clock }: RulesContext, signal: AbortSignal, deadline: number): RunOptions => ({
  ...{ clock, signal, deadline },
  maxOutput: MAX_OUTPUT,
});

function programResult(what: string, { code, failure, output }: ProgramEnd): Result {
  if (code === 0) return { summary: `${what} ran`, answer: output.trim() === '' ? `${what}: done` : output };
  const why = failure ?? `exit code ${code}`;
  return { failed: true, summary: `${what}: ${why}`, answer: `${what}: ${why}\n${output}` };
}
