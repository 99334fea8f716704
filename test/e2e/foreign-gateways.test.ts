import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { SimulatedModem } from '../../src/simulator/index.ts';
import { serveLine } from '../../src/simulator/servers.ts';
import { testFolder } from '../support/folder.ts';
import { end, missingPrograms } from '../support/programs.ts';

/*
 * The proof that the simulated modem is a modem: three programs that were written for real ones, as Debian packs them,
 * work with it over a pseudo terminal.
 */
const skip = missingPrograms(['gammu', 'gammu-smsd', 'smsd', 'socat'], 'gammu gammu-smsd smstools socat');
t.jobs = 3;

const SENDER = '+37060000001';
const ACCENTS = 'Žąsis ėda grūdą';
const LONG = '0123456789'.repeat(30);

interface Bench {
  readonly modem: SimulatedModem;
  /** A folder of its own, with the pseudo terminal as `tty`. */
  readonly folder: string;
  readonly tty: string;
}

/** A simulated modem behind a pseudo terminal. */
async function bench(t: Test): Promise<Bench> {
  const folder = testFolder(t);
  const tty = `${folder}/tty`;
  const modem = new SimulatedModem();
  const [server, { host, port }] = await serveLine(modem, { host: '127.0.0.1', port: 0 });
  const socat = spawn('socat', [`PTY,link=${tty},raw,echo=0`, `TCP:${host}:${port}`], { stdio: 'ignore' });
  t.teardown(() => {
    socat.kill();
    modem.stop();
    server.close();
  });
  await until(() => existsSync(tty));
  return { modem, folder, tty };
}

/** Waits until `done` holds; fails after 60 s. */
async function until(done: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !done(); await wait(20)) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for ${done}`);
  }
}

/** Runs a program to its end; resolves to what it printed. Fails when its exit code is another. */
async function run(command: string, args: readonly string[], expected = 0): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 40_000 });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const [exitCode] = await once(child, 'close');
  if (exitCode !== expected) throw new Error(`${command} exited with ${exitCode}: ${printed}`);
  return printed;
}

/** A daemon of the test, ended with it. */
function daemon(t: Test, command: string, args: readonly string[]): void {
  const child: ChildProcess = spawn(command, args, { stdio: 'ignore' });
  t.teardown(() => end(child));
}

const texts = ({ modem }: Bench) => modem.sent().map(({ text }) => text);
const files = (folder: string) => readdirSync(folder).map((name) => `${folder}/${name}`);

t.test('gammu', { skip }, async (t) => {
  const { modem, folder, tty } = await bench(t);
  const config = `${folder}/gammurc`;
  writeFileSync(config, `[gammu]\ndevice = ${tty}\nconnection = at115200\nsynchronizetime = no\n`);
  const commands = [
    'identify',
    'networkinfo',
    'getsecuritystatus',
    `sendsms TEXT ${SENDER} -text "Hello from gammu"`,
    `sendsms TEXT ${SENDER} -unicode -text "${ACCENTS} 😀"`,
    `sendsms TEXT ${SENDER} -len 400 -text "${LONG}"`,
    'geteachsms',
    'deleteallsms 1',
    'getallsms',
  ];
  // Everything in one session: each takes gammu three seconds to open, and gammu leaves the terminal to itself
  // (TIOCEXCL), so that only root could open it again.
  const batch = `${folder}/batch`;
  writeFileSync(batch, `${commands.join('\n')}\n`);
  modem.receive({ from: SENDER, text: `${ACCENTS} 😀` });
  modem.receive({ from: SENDER, text: LONG });
  modem.receive({ from: 'SHOP', text: 'Sale! €5' });
  const printed = await run('gammu', ['-c', config, 'batch', batch]);
  for (const expected of [
    /Manufacturer +: SIMULATED/,
    /IMEI +: 356938035643809/,
    /Network state +: home network/,
    /Nothing to enter/,
    /Remote number +: "\+37060000001"/,
    new RegExp(`${ACCENTS} 😀`),
    /Remote number +: "SHOP"/,
    /Sale! €5/,
    /4 SMS parts in 3 SMS sequences/,
    /\n0 SMS parts in 0 SMS sequences/,
  ]) {
    t.match(printed, expected);
  }
  t.strictSame(
    modem.sent().map(({ text, parts }) => [text, parts]),
    [
      ['Hello from gammu', 1],
      [`${ACCENTS} 😀`, 1],
      [LONG, 2],
    ],
  );
});

t.test('gammu-smsd', { skip }, async (t) => {
  const at = await bench(t);
  const { modem, folder, tty } = at;
  for (const name of ['in', 'out', 'sent', 'err']) mkdirSync(`${folder}/${name}`);
  const config = `${folder}/smsdrc`;
  writeFileSync(
    config,
    `[gammu]
device = ${tty}
connection = at115200
synchronizetime = no
[smsd]
service = files
logfile = ${folder}/log
inboxpath = ${folder}/in/
outboxpath = ${folder}/out/
sentsmspath = ${folder}/sent/
errorsmspath = ${folder}/err/
commtimeout = 1
receivefrequency = 1
statusfrequency = 0
loopsleep = 1
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
`,
  );
  const inject = (...args: readonly string[]) => run('gammu-smsd-inject', ['-c', config, 'TEXT', SENDER, ...args]);
  await inject('-text', 'Hello from gammu-smsd');
  await inject('-unicode', '-text', `${ACCENTS} 😀`);
  await inject('-len', '400', '-text', LONG);
  modem.receive({ from: SENDER, text: `${ACCENTS} 😀` });
  daemon(t, 'gammu-smsd', ['-c', config]);
  await until(() => texts(at).length === 3 && readdirSync(`${folder}/in`).length === 1);
  t.strictSame(texts(at).sort(), [LONG, 'Hello from gammu-smsd', `${ACCENTS} 😀`].sort());
  modem.receive({ from: SENDER, text: LONG });
  await until(() => readdirSync(`${folder}/in`).length === 3);
  const inbox = files(`${folder}/in`).sort();
  t.equal(inbox.map((file) => readFileSync(file, 'utf8')).join(''), `${ACCENTS} 😀${LONG}`);
  t.strictSame(readdirSync(`${folder}/err`), []);
  t.equal(modem.counters.waiting, 0);
});

t.test('smsd of smstools', { skip }, async (t) => {
  const at = await bench(t);
  const { modem, folder, tty } = at;
  const folders = ['outgoing', 'checked', 'failed', 'incoming', 'sent', 'report'];
  for (const name of folders) mkdirSync(`${folder}/${name}`);
  const config = `${folder}/smsd.conf`;
  writeFileSync(
    config,
    `devices = GSM1
${folders.map((name) => `${name} = ${folder}/${name}`).join('\n')}
logfile = ${folder}/smsd.log
pidfile = ${folder}/smsd.pid
infofile = ${folder}/smsd.running
delaytime = 1
errorsleeptime = 1
receive_before_send = no
autosplit = 3
[GSM1]
device = ${tty}
incoming = yes
report = yes
baudrate = 115200
rtscts = no
check_network = 1
pin = ignore
init = AT+CMEE=1
init2 = AT+CNMI=2,1,0,1,0
memory_start = 1
internal_combine = yes
keep_open = yes
`,
  );
  const submit = (name: string, head: string, body: Buffer) => {
    const file = `${folder}/${name}`;
    writeFileSync(file, Buffer.concat([Buffer.from(`To: ${SENDER.slice(1)}\n${head}\n`), body]));
    renameSync(file, `${folder}/outgoing/${name}`);
  };
  submit('ascii', 'Report: yes\n', Buffer.from('Hello from smsd'));
  submit('accents', 'Alphabet: UTF-8\n', Buffer.from(ACCENTS));
  submit('emoji', 'Alphabet: Unicode\n', Buffer.from('Žąsis 😀', 'utf16le').swap16());
  submit('long', '', Buffer.from(LONG));
  modem.receive({ from: SENDER, text: `${ACCENTS} 😀` });
  modem.receive({ from: SENDER, text: LONG });
  daemon(t, 'smsd', ['-c', config, '-t']);
  const count = (name: string) => readdirSync(`${folder}/${name}`).length;
  await until(() => texts(at).length === 4 && count('incoming') === 2 && count('report') >= 1 && count('sent') === 4);
  t.strictSame(texts(at).sort(), ['Hello from smsd', ACCENTS, 'Žąsis 😀', LONG].sort());
  const incoming = files(`${folder}/incoming`).map((file) => {
    const content = readFileSync(file);
    const body = content.subarray(content.indexOf('\n\n') + 2);
    // smsd leaves UCS2 as it came over the air.
    return /Alphabet: UCS2/.test(content.toString('latin1'))
      ? Buffer.from(body).swap16().toString('utf16le')
      : body.toString('latin1');
  });
  t.strictSame(incoming.sort(), [LONG, `${ACCENTS} 😀`].sort());
  t.match(readFileSync(files(`${folder}/report`)[0] ?? '', 'utf8'), /Status: 0,Ok/);
  t.equal(count('failed'), 0);
  t.match(modem.counters, { messages: 4, parts: 5, waiting: 0 });
});
