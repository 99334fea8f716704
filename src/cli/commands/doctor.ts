import { dirname } from 'node:path';
import { describeError, GatewayError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Command, CommandContext } from '../command.ts';
import { type Finding, failed, ok } from '../doctor/finding.ts';
import { runningFindings, warningFinding } from '../doctor/running.ts';
import { cell, columns, table } from '../layout.ts';
import { configDirectoryOption, usualDirectory } from './config.ts';

/** Directories of the store: the first on OpenWrt and RutOS, the second on Debian. */
const stores = ['/etc/sms_gateway', '/var/lib/sms-gateway'] as const;

export const doctor: Command = {
  name: 'doctor',
  arguments: '[options]',
  help: 'Look at everything the gateway needs, and say what to do about what is wrong.',
  details: `Works also while the gateway does not run. Best called as root: other users do not see who has a port open.
Exits as status --check: 0 OK, 1 WARNING, 2 CRITICAL. Shows no secrets, and no texts or numbers.`,
  options: {
    'config-dir': configDirectoryOption,
    'state-dir': { value: 'DIR', help: `Directory of the messages; default ${stores.join(', else ')}.` },
  },
  count: [0, 0],
  async run(input, context) {
    // Only this command looks at all of it.
    const host = await import('../doctor/host.ts');
    const { status, sentences, found: service } = await ask(context);
    const files = table(status?.['files']);
    const at = { root: '', runs: status !== undefined };
    const where = input.text('config-dir') ?? pathOf(files, 'config', dirname) ?? usualDirectory();
    const { config, found: faults } = await host.configFindings(where);
    const store = input.text('state-dir') ?? pathOf(files, 'store') ?? (await host.usualStore(...stores));
    const socket = pathOf(files, 'socket');
    const running = status === undefined ? [] : runningFindings(status, context.time);
    const ports = config === undefined ? [] : await host.portFindings(config, at);
    const known = new Set(faults.map(({ text }) => text));
    const all: readonly Finding[] = [
      ...faults,
      ...service,
      ...sentences.filter((sentence) => !known.has(sentence)).map(warningFinding),
      // What the gateway says of its modem need not stand there twice.
      ...ports.filter((port) => !running.some(({ text }) => text.includes(port.text))),
      ...(await host.managerFindings(at)),
      ...running,
      ...(await host.storageFindings(store, at)),
      ...(socket === undefined ? [] : await host.socketFindings(socket)),
      ...(await host.clockFindings(at)),
      ...(await host.ubusFindings(at)),
      ...(config === undefined ? [] : await host.webFindings(config, status ?? {}, at)),
      ...(config === undefined ? [] : await host.programFindings(config)),
    ];
    const code = all.some(({ level }) => level === 'failed') ? 2 : all.some(({ level }) => level === 'warning') ? 1 : 0;
    const findings = all.map((finding) => ({ ...finding }));
    context.show({ status: verdicts[code], findings }, () => render(all));
    return code;
  },
};

const verdicts = ['OK', 'WARNING', 'CRITICAL'] as const;

/** A path that the daemon says it uses. */
function pathOf(files: JsonObject, name: string, part: (path: string) => string = (path) => path): string | undefined {
  const path = files[name];
  return typeof path === 'string' ? part(path) : undefined;
}

interface Answer {
  readonly status?: JsonObject;
  /** What the daemon warns of. */
  readonly sentences: readonly string[];
  readonly found: readonly Finding[];
}

/** The daemon's own word, as far as it gives one. */
async function ask(context: CommandContext): Promise<Answer> {
  try {
    const client = await context.client();
    const status = await client.call('sms_gateway', 'status');
    const hours = Math.floor(Number(status['uptime']) / 3600);
    const sentences = Array.isArray(status['warnings']) ? status['warnings'].map(cell) : [];
    const text = `runs, version ${cell(status['version'])}, since ${hours} h`;
    return { status, sentences, found: [ok('service', text)] };
  } catch (error) {
    const denied = /\bEACCES\b/.test(describeError(error));
    const gone = error instanceof GatewayError && error.code === 'connection_failed' && !denied;
    const start = 'start it: service sms_gateway start, or systemctl start sms-gateway; the log says why it ended';
    const join = "its socket is not yours to open: call this as root, or join the socket's group";
    return {
      sentences: [],
      found: [failed('service', describeError(error), gone ? start : denied ? join : undefined)],
    };
  }
}

const marks = { ok: 'OK', warning: 'WARN', failed: 'FAIL' } as const;

function render(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ area, level, text, advice }) => [
    [marks[level], area, text],
    ...(advice === undefined ? [] : [['', '', `-> ${advice}`]]),
  ]);
  return columns(rows);
}
