import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from './base/clock.ts';
import { switchCompilersOff } from './base/compilers.ts';
import { describeError, toGatewayError } from './base/errors.ts';
import { createLogger, isJournal, type LogSink, processSink } from './base/log.ts';
import { version } from './base/version.ts';
import { Gateway, type GatewayOptions } from './gateway.ts';

const usage = `Usage: sms_gateway [options]

  --config-dir DIR   where the UCI file sms_gateway lies     (/etc/config)
  --state-dir DIR    where messages are kept                 (/etc/sms_gateway)
  --socket PATH      unix socket of the RPC namespace        (/var/run/sms_gateway.sock)
  --http HOST:PORT   serve the pages and cgi-bin URLs without uhttpd (off)
  --ubus PATH|off    register on ubus       (/var/run/ubus/ubus.sock if it is there)
  --log-time         put the time in front of each line of the log  (procd and systemd do)
  --version, --help
`;

/** How long an orderly stop may take. procd sends SIGKILL 5 s after SIGTERM unless the service sets another time. */
const STOP_DEADLINE_MS = 4_000;

/** Where ubusd of OpenWrt listens; procd starts it before any service. */
const UBUS_SOCKET = '/var/run/ubus/ubus.sock';

class UsageError extends Error {}

interface Arguments {
  readonly options: GatewayOptions;
  readonly logTime: boolean;
}

function readArguments(argv: readonly string[]): Arguments | 'help' | 'version' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'config-dir': { type: 'string', default: '/etc/config' },
      'state-dir': { type: 'string', default: '/etc/sms_gateway' },
      socket: { type: 'string', default: '/var/run/sms_gateway.sock' },
      http: { type: 'string' },
      ubus: { type: 'string' },
      'log-time': { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const ubus = values.ubus ?? (existsSync(UBUS_SOCKET) ? UBUS_SOCKET : 'off');
  if (ubus === '') throw new UsageError('--ubus wants a path or off, got nothing');
  for (const name of ['config-dir', 'state-dir', 'socket'] as const) {
    if (values[name] === '') throw new UsageError(`--${name} wants a path, got nothing`);
  }
  const options: GatewayOptions = {
    configDirectory: values['config-dir'],
    stateDirectory: values['state-dir'],
    socket: values.socket,
    // npm installs the program as a link.
    pagesDirectory: join(dirname(realpathSync(process.argv[1] ?? '')), 'www'),
    ...(ubus === 'off' ? {} : { ubus }),
    ...(values.http === undefined ? {} : { http: readAddress(values.http) }),
  };
  return { options, logTime: values['log-time'] ?? false };
}

/** `HOST:PORT` with `[::1]:PORT` for IPv6. */
function readAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65535) throw new UsageError(`--http wants HOST:PORT, got ${JSON.stringify(text)}`);
  return { host, port };
}

async function run(options: GatewayOptions, sink: LogSink): Promise<void> {
  const log = createLogger(sink);
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second signal means that the person at the keyboard has waited long enough.
    if (stop.signal.aborted) process.exit(130);
    log.info(`stopping on ${signal}`);
    setTimeout(() => {
      log.error(`not stopped after ${STOP_DEADLINE_MS} ms, leaving`);
      process.exit(1);
    }, STOP_DEADLINE_MS);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  let gateway: Gateway | undefined;
  // While it starts there is nothing to do: it looks at the config again when it is ready.
  process.on('SIGHUP', () => void gateway?.reload());
  try {
    gateway = await Gateway.start(options, { sink, clock: systemClock }, stop.signal);
  } catch (error) {
    // Stopped while it was starting: that is an orderly end.
    if (stop.signal.aborted) return;
    throw error;
  }
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
  await gateway.stop();
}

async function main(): Promise<number> {
  switchCompilersOff();
  // What ps and top show; 15 octets are all that the kernel keeps of it.
  process.title = 'sms_gateway';
  let read: ReturnType<typeof readArguments>;
  try {
    read = readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n${usage}`);
    return 64;
  }
  if (read === 'help' || read === 'version') {
    process.stdout.write(read === 'help' ? usage : `${version}\n`);
    return 0;
  }
  const { options, logTime } = read;
  const sink = processSink('info', { time: logTime, priority: isJournal(process.env['JOURNAL_STREAM']) });
  const log = createLogger(sink);
  // Whoever reads the log may be restarted: no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const fatal = (error: unknown) => {
    log.error(`unforeseen: ${error instanceof Error ? error.stack : String(error)}`);
    process.exit(70);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  try {
    await run(options, sink);
    return 0;
  } catch (error) {
    log.error(describeError(error));
    return toGatewayError(error).mapping.exit;
  }
}

void main().then((code) => process.exit(code));
