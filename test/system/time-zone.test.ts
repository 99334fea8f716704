import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { System } from '../../src/system/system.ts';
import { firstInstant, hostZone, localTime, parsePosixZone, type TimeZone } from '../../src/system/time-zone.ts';
import { testFolder } from '../support/folder.ts';
import { offsetByName, zones } from './zones.ts';

const utc = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);

function zoneOf(text: string): TimeZone {
  const zone = parsePosixZone(text);
  if (zone === undefined) throw new Error(`not taken: ${text}`);
  return zone;
}

t.test('the POSIX strings of OpenWrt match the named zones', async (t) => {
  for (const [name, text] of zones) {
    const zone = zoneOf(text);
    const byName = offsetByName(name);
    const differing: string[] = [];
    for (let time = utc('2025-12-30 00:00'); time < utc('2030-01-03 00:00'); time += 3 * 3_600_000) {
      if (zone.offset(time) !== byName(time)) differing.push(new Date(time).toISOString());
    }
    t.same(differing, [], name);
  }
});

t.test('each form of a date, to the second before and at the change', async (t) => {
  const rows: readonly (readonly [text: string, change: string, before: number, after: number])[] = [
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 01:00:00', 120, 180],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-10-25 01:00:00', 180, 120],
    ['EST5EDT', '2026-03-08 07:00:00', -300, -240],
    ['EST5EDT', '2026-11-01 06:00:00', -240, -300],
    ['AAA0BBB-2,J60/0,J300/0', '2024-03-01 00:00:00', 0, 120], // J60 is the first of March in any year
    ['AAA0BBB-2,J60/0,J300/0', '2026-03-01 00:00:00', 0, 120],
    ['AAA0BBB,59/0,300/0', '2024-02-29 00:00:00', 0, 60],
    ['AAA0BBB,59/0,300/0', '2026-03-01 00:00:00', 0, 60],
    ['AAA0BBB,M3.2.0/-1:30:15,M10.1.0', '2026-03-07 22:29:45', 0, 60],
    ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', '2026-03-29 01:00:00', -120, -60],
    ['IST-1GMT0,M10.5.0,M3.5.0/1', '2026-03-29 01:00:00', 0, 60], // winter time is the exception there
    ['<-04>4<-03>,M9.1.6/24,M4.1.6/24', '2026-09-06 04:00:00', -240, -180],
    ['AEST-10AEDT,M10.1.0,M4.1.0/3', '2026-04-04 16:00:00', 660, 600],
  ];
  for (const [text, change, before, after] of rows) {
    const { offset } = zoneOf(text);
    const at = utc(change);
    t.same([offset(at - 1000) / 60_000, offset(at) / 60_000], [before, after], `${text} ${change}`);
  }
  t.equal(zoneOf('<+0545>-5:45').offset(0), 345 * 60_000);
  t.equal(zoneOf('LMT-1:24:30').offset(0), 5_070_000);
  t.same(
    ['UTC', 'GMT', 'GMT0', 'UTC0'].map((text) => zoneOf(text).offset(utc('2026-07-01 00:00'))),
    [0, 0, 0, 0],
  );
});

t.test('strings that are not POSIX time zones', async (t) => {
  const none = [
    '',
    'Europe/Vilnius',
    'EET',
    'EE-2',
    '<+01',
    '<+01>',
    'EET-2EEST,M3.5.0',
    'EET-2EEST,M3.5.0,',
    'EET-25',
  ];
  none.push('EET-2EEST,M13.1.0,M10.1.0', 'EET-2EEST,M3.6.0,M10.1.0', 'EET-2EEST,M3.1.7,M10.1.0', 'EET-2EEST,J0,J1');
  none.push(
    'EET-2EEST,J366,J1',
    'EET-2EEST,366,1',
    'EET-2EEST,M3.5.0/168,M10.5.0',
    'EET-2 EEST',
    ' UTC',
    'UTC\n',
    'EET-2EEST-99',
  );
  for (const text of none) t.equal(parsePosixZone(text), undefined, JSON.stringify(text));

  fc.assert(fc.property(fc.string(), (text) => void parsePosixZone(text)));
});

t.test('every accepted string answers for any instant', async (t) => {
  const time = fc.constantFrom('', '/0', '/3', '/-167', '/167:59:59', '/24', '/2:30');
  const date = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 6 }))
      .map((d) => `M${d.join('.')}`),
    fc.integer({ min: 1, max: 365 }).map((day) => `J${day}`),
    fc.integer({ min: 0, max: 365 }).map((day) => `${day}`),
  );
  const offset = fc.tuple(
    fc.constantFrom('', '+', '-'),
    fc.integer({ min: 0, max: 24 }),
    fc.constantFrom('', ':30', ':05:07'),
  );
  const string = fc
    .tuple(offset, fc.option(offset), date, time, date, time)
    .map(([a, b, from, at, to, until]) => `AAA${a.join('')}BBB${b?.join('') ?? ''},${from}${at},${to}${until}`);
  let taken = 0;
  fc.assert(
    fc.property(string, fc.integer({ min: 0, max: utc('2100-01-01 00:00') }), (text, instant) => {
      const zone = zoneOf(text);
      taken += 1;
      const local = localTime(zone, instant);
      // The clock may be changed there every other day, and by two days at once.
      return Math.abs(firstInstant(zone, local) - instant) <= 50 * 3_600_000;
    }),
  );
  t.equal(taken, 100);
});

t.test('a local time is reached once: the first of two, and right after when it is left out', async (t) => {
  const rows: readonly (readonly [zone: string, local: string, instant: string])[] = [
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 02:59', '2026-03-29 00:59'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 03:00', '2026-03-29 01:00'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 03:30', '2026-03-29 01:00'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 04:00', '2026-03-29 01:00'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-03-29 04:01', '2026-03-29 01:01'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-10-25 02:59', '2026-10-24 23:59'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-10-25 03:00', '2026-10-25 00:00'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-10-25 03:59', '2026-10-25 00:59'],
    ['EET-2EEST,M3.5.0/3,M10.5.0/4', '2026-10-25 04:00', '2026-10-25 02:00'],
    ['<-04>4<-03>,M9.1.6/24,M4.1.6/24', '2026-09-06 00:00', '2026-09-06 04:00'],
    ['<-04>4<-03>,M9.1.6/24,M4.1.6/24', '2026-04-04 23:30', '2026-04-05 02:30'],
    ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', '2026-10-04 02:15', '2026-10-03 15:30'],
    ['<+1030>-10:30<+11>-11,M10.1.0,M4.1.0', '2026-04-05 01:45', '2026-04-04 14:45'],
    ['<+14>-14', '2026-01-01 00:00', '2025-12-31 10:00'],
    ['<-12>12', '2026-01-01 00:00', '2026-01-01 12:00'],
  ];
  for (const [zone, local, instant] of rows) {
    t.equal(
      new Date(firstInstant(zoneOf(zone), utc(local))).toISOString(),
      `${instant.replace(' ', 'T')}:00.000Z`,
      local,
    );
  }
});

t.test('the zone of the router', async (t) => {
  const root = testFolder(t);
  const put = (path: string, text: string) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const config = (...options: readonly string[]) =>
    put('/etc/config/system', `config system\n${options.map((option) => `\toption ${option}\n`).join('')}`);
  const named = async () => (await new System({ root }).timeZone()).name;
  const tz = process.env.TZ;
  t.teardown(() => {
    if (tz === undefined) Reflect.deleteProperty(process.env, 'TZ');
    else process.env.TZ = tz;
  });

  process.env.TZ = 'Europe/Vilnius';
  t.equal(await named(), hostZone.name, 'no router, and a name that Node understands');
  process.env.TZ = 'CET-1CEST,M3.5.0,M10.5.0/3';
  t.equal(await named(), 'CET-1CEST,M3.5.0,M10.5.0/3', 'no router, and a string that Node does not understand');

  config("timezone 'EET-2EEST,M3.5.0/3,M10.5.0/4'", "zonename 'Europe/Vilnius'");
  t.equal(await named(), 'EET-2EEST,M3.5.0/3,M10.5.0/4');
  config("timezone 'UTC'");
  t.equal(await named(), 'UTC', 'read again');

  config("zonename 'America/New York'");
  t.equal(await named(), 'CET-1CEST,M3.5.0,M10.5.0/3', 'no zoneinfo there');
  put('/usr/share/zoneinfo/America/New_York', `TZif2${'\0'.repeat(1000)}\nEST5EDT,M3.2.0,M11.1.0\n`);
  t.equal(await named(), 'EST5EDT,M3.2.0,M11.1.0');
  config("zoneName 'America/New York'", "timezone 'nonsense'");
  t.equal(await named(), 'EST5EDT,M3.2.0,M11.1.0');
  put('/usr/share/TZ', '\nAAA1\n');
  for (const name of ['../TZ', '/etc/passwd', 'America', 'America/../../TZ']) {
    config(`zonename '${name}'`);
    t.equal(await named(), 'CET-1CEST,M3.5.0,M10.5.0/3', name);
  }
  put('/etc/config/system', 'config system\n\toption timezone "UTC');
  t.equal(await named(), 'CET-1CEST,M3.5.0,M10.5.0/3', 'a file that does not parse');
  rmSync(join(root, '/etc/config/system'));
  mkdirSync(join(root, '/etc/config/system'));
  t.equal(await named(), 'CET-1CEST,M3.5.0,M10.5.0/3', 'no file at all');
});
