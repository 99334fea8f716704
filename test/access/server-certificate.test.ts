import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type CertificateFiles, ServerCertificate } from '../../src/access/server-certificate.ts';
import { createLogger } from '../../src/base/log.ts';
import { type Certificate, selfSigned } from '../support/certificate.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/outbox-rig.ts';

interface Held {
  readonly certificate: ServerCertificate;
  readonly clock: ManualClock;
  readonly log: string[];
  /** Subjects that new connections got, in order. */
  readonly taken: number[];
}

async function hold(t: Test, files: CertificateFiles, now = Date.now()): Promise<Held> {
  const log: string[] = [];
  const taken: number[] = [];
  const clock = new ManualClock();
  clock.step(now - clock.now());
  const certificate = new ServerCertificate({
    ...{ files, clock },
    log: createLogger({ level: 'debug', write: (line) => void log.push(line) }),
  });
  certificate.use(() => void taken.push(taken.length));
  await certificate.start();
  t.teardown(() => certificate.stop());
  return { certificate, clock, log, taken };
}

/** Puts the files of another certificate in the place of those in use, as an ACME client does. */
function replace(used: Certificate, by: Certificate): void {
  for (const [path, text] of [
    [used.keyFile, by.key],
    [used.file, by.cert],
  ] as const) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

const made = (t: Test, ...names: readonly string[]): readonly Certificate[] => {
  const base = testFolder(t);
  return names.map((name) => {
    mkdirSync(join(base, name));
    return selfSigned(join(base, name));
  });
};

/** Lets the settling time of events and the pauses of retries pass until `check` holds. */
const later = ({ clock }: Held, check: () => boolean, what: string) =>
  until(async () => {
    if (check()) return true;
    await clock.advance(500);
    return check();
  }, what);

t.test('a changed certificate is taken up, one that is no good is not', async (t) => {
  const [used, next, third] = made(t, 'used', 'next', 'third');
  if (used === undefined || next === undefined || third === undefined) throw new Error('no certificates');
  const held = await hold(t, { cert: used.file, key: used.keyFile });
  const { certificate, log, taken } = held;
  const first = certificate.context;
  t.ok(first);
  t.match(certificate.status(), { subject: 'CN=localhost', expires: /^20/ });
  t.match(certificate.status(), { error: /expires on/ }, 'it ends within a week');

  replace(used, next);
  await later(held, () => certificate.context !== first, 'the new one is in use');
  await later(held, () => taken.length >= 2, 'and handed on');
  await certificate.idle();

  for (const [what, path, text, reason] of [
    ['no PEM', used.file, 'nonsense', /cert.pem holds no certificate/],
    ['the key of another', used.file, third.cert, /key.pem is not the key of .*cert.pem/],
    ['an empty file', used.keyFile, '', /key.pem holds no private key/],
  ] as const) {
    await certificate.idle();
    const before = certificate.context;
    writeFileSync(path, text);
    await later(held, () => /the one before stays in use/.test(certificate.error ?? ''), `${what} is noticed`);
    t.match(certificate.error, reason, what);
    t.equal(certificate.context, before, 'the old one stays');
    writeFileSync(used.file, next.cert);
    writeFileSync(used.keyFile, next.key);
    await later(held, () => !/stays in use/.test(certificate.error ?? ''), 'it is mended');
  }
  t.ok(
    log.some((line) => /warning.*is not the key of.*the one before stays in use/.test(line)),
    'the log says so',
  );
});

t.test('an expired one does not take the place of a good one, and is better than none', async (t) => {
  const folder = testFolder(t, { used: {}, old: {} });
  const used = selfSigned(`${folder}/used`, 30);
  const expired = selfSigned(`${folder}/old`, 1);
  const inThreeDays = Date.now() + 3 * 86_400_000;
  const old = await hold(t, { cert: expired.file, key: expired.keyFile }, inThreeDays);
  t.ok(old.certificate.context, 'the clock of the router may be wrong');
  t.match(old.certificate.error, /has expired on/);

  const held = await hold(t, { cert: used.file, key: used.keyFile }, inThreeDays);
  t.equal(held.certificate.error, undefined);
  const before = held.certificate.context;
  replace(used, expired);
  await later(held, () => /has expired on .* stays in use/.test(held.certificate.error ?? ''), 'it is noticed');
  t.equal(held.certificate.context, before);
});

t.test('a missing certificate that comes later', async (t) => {
  const [next] = made(t, 'next');
  if (next === undefined) throw new Error('no certificate');
  const place = join(t.testdirName, 'later.pem');
  const held = await hold(t, { cert: place, key: place });
  t.equal(held.certificate.context, undefined);
  t.match(held.certificate.error, /ENOENT.*nobody is served with it/);
  writeFileSync(place, next.cert + next.key);
  await later(held, () => held.certificate.context !== undefined, 'it is taken up, key and all from one file');
  await held.certificate.idle();
  t.match(held.log.join(''), /all users can read the private key in /);
  chmodSync(place, 0o600);
});
