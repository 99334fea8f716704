/** The sandbox of the Debian service, as systemd itself reckons it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { missingPrograms } from '../support/programs.ts';

const unit = 'packaging/debian/sms-gateway.service';

t.test('systemd finds little exposed', { skip: missingPrograms(['systemd-analyze'], 'systemd') }, async (t) => {
  // The threshold is ten times the exposure: 2.0.
  const options = ['security', '--offline=yes', '--no-pager', '--threshold=20'];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...options, unit], { encoding: 'utf8' });
  t.equal(stderr, '');
  t.equal(status, 0, 'at most 2.0');
  t.match(stdout, /Overall exposure level for sms-gateway\.service: [01]\.\d|2\.0/);
});

t.test('what the gateway needs stays open', async (t) => {
  const lines = readFileSync(unit, 'utf8').split('\n');
  for (const wanted of [
    'SupplementaryGroups=dialout',
    'StateDirectory=sms-gateway',
    'ReadWritePaths=/etc/sms-gateway',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    // Drivers of serial lines by number: ttyS, ttyACM, ttyUSB.
    ...['4', '166', '188'].map((major) => `DeviceAllow=char-${major} rw`),
  ]) {
    t.ok(lines.includes(wanted), wanted);
  }
  t.notOk(
    lines.some((line) => /^(NoExecPaths|MemoryDenyWriteExecute|PrivateDevices|PrivateNetwork|ProcSubset)=/.test(line)),
    'hook programs and rules may be run, V8 compiles, modems and networks are reached, /proc/net is read',
  );
});
