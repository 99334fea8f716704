/** The simulated modem as a program: its serial line on a TCP port, and a control port beside it. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { describeError } from '../base/errors.ts';
import { formatHostPort, type HostPort, parseHostPort } from '../base/host-port.ts';
import { faultTable, SimulatedModem } from './index.ts';
import { serveControl, serveLine } from './servers.ts';

const faultLines = Object.entries(faultTable).map(([type, fields]) => `    ${JSON.stringify({ type, ...fields })}`);

const help = `Usage: simulator --listen tcp:HOST:PORT [OPTIONS]

A GSM modem that speaks AT (3GPP TS 27.005, 27.007) on a TCP port, for a gateway, socat or ser2net.

  --listen tcp:HOST:PORT    the serial line; the newest client holds it; PORT 0 takes a free one
  --control tcp:HOST:PORT   orders, one JSON object a line
  --pin PIN                 the SIM asks for this PIN (its PUK is 12345678)
  --memory N                messages that the SIM holds, 1 to 255 (30)
  --latency MS              time for each answer, and again for each message sent (0)
  --part MS                 time for each message sent, where that differs
  --answer                  the person at the other end answers what is sent
  --help

Orders: {"receive":{"from":"+37060000001","text":"hi"}} {"receive_pdu":HEX} {"sent":true} {"sent_parts":true}
  {"status":true} {"registration":"denied"} {"signal":14} {"fault":{...}} {"clear":"slow_bytes"} {"clear":true}
  faults, with their defaults:
${faultLines.join('\n')}
`;

interface Settings {
  readonly line: HostPort;
  readonly control: HostPort | undefined;
  readonly modem: SimulatedModem;
}

/** Throws an Error that says which option is wrong. */
function settings(args: readonly string[]): Settings | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: 'string' },
      control: { type: 'string' },
      pin: { type: 'string' },
      memory: { type: 'string', default: '30' },
      latency: { type: 'string', default: '0' },
      part: { type: 'string' },
      answer: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.listen === undefined) throw new Error('--listen is missing');
  if (values.pin !== undefined && !/^[0-9]{4,8}$/.test(values.pin)) throw new Error('--pin wants 4 to 8 digits');
  const latency = number('--latency', values.latency, 0, 600_000);
  const submit = values.part === undefined ? latency : number('--part', values.part, 0, 600_000);
  return {
    line: endpoint('--listen', values.listen),
    control: values.control === undefined ? undefined : endpoint('--control', values.control),
    modem: new SimulatedModem({
      memory: number('--memory', values.memory, 1, 255),
      latency: { answer: latency, submit, report: latency },
      answerBack: values.answer,
      ...(values.pin !== undefined && { pin: values.pin }),
    }),
  };
}

function endpoint(option: string, text: string): HostPort {
  const place = /^tcp:/i.test(text) ? parseHostPort(text.replace(/^tcp:(\/\/)?/i, '')) : undefined;
  if (place === undefined) throw new Error(`${option} wants tcp:HOST:PORT`);
  return place;
}

function number(option: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`${option} wants a number from ${min} to ${max}`);
  return value;
}

/** Resolves to the exit code, after SIGINT or SIGTERM. */
async function main(args: readonly string[]): Promise<number> {
  const chosen = settings(args);
  if (chosen === 'help') {
    process.stdout.write(help);
    return 0;
  }
  const { modem, line, control } = chosen;
  if (control !== undefined) {
    const [, at] = await serveControl(modem, control);
    process.stdout.write(`control on ${formatHostPort(at)}\n`);
  }
  const [, at] = await serveLine(modem, line);
  process.stdout.write(`listening on ${formatHostPort(at)}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  modem.stop();
  return 0;
}

void main(process.argv.slice(2))
  .catch((thrown: unknown) => {
    process.stderr.write(`simulator: ${describeError(thrown)}\n`);
    return 64;
  })
  .then((code) => process.exit(code));
