import fc from 'fast-check';
import t from 'tap';
import { seeded } from '../support/seeded.ts';
import { SECTOR, VolatileDisk } from './volatile-disk.ts';

const SIZE = 16 * SECTOR;
const filled = (value: number, length = SECTOR) => Buffer.alloc(length, value);
const content = (disk: VolatileDisk) => Buffer.from(disk.read(0, SIZE));

t.test('what a flush has made safe stays, the rest is there until the cut', async (t) => {
  const disk = new VolatileDisk(SIZE);
  disk.write(0, filled(1));
  const flushed = disk.flush();
  disk.write(SECTOR, filled(2));
  flushed();
  t.equal(disk.read(SECTOR, 1)[0], 2, 'whoever reads sees it');
  t.equal(disk.cut('dropped', seeded(1)), 1, 'what came after the flush began is not safe');
  t.same([content(disk)[0], content(disk)[SECTOR]], [1, 0]);
});

t.test('a flush that has not ended at the cut makes nothing safe', async (t) => {
  const disk = new VolatileDisk(SIZE);
  disk.write(0, filled(1));
  const flushed = disk.flush();
  disk.cut('dropped', seeded(1));
  flushed();
  disk.cut('dropped', seeded(1));
  t.equal(content(disk)[0], 0);
});

t.test('a disordered cut gives each sector one of its versions, and every mixture can come', async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed < 200; seed++) {
    const disk = new VolatileDisk(SIZE);
    disk.write(0, Buffer.concat([filled(1), filled(1)]));
    disk.write(0, filled(2));
    disk.cut('disordered', seeded(seed * 7919));
    seen.add(`${content(disk)[0]}${content(disk)[SECTOR]}`);
    t.same(disk.read(0, SECTOR), filled(content(disk)[0] ?? 9), 'a sector is of one version');
  }
  t.same([...seen].sort(), ['00', '01', '10', '11', '20', '21']);
});

t.test('a torn cut keeps what came first, and tears a sector of text only', async (t) => {
  const line = 'a line of a file\n';
  const text = Buffer.from(line.repeat(40)).subarray(0, SECTOR);
  const torn = (data: Buffer, seed: number) => {
    const disk = new VolatileDisk(SIZE);
    disk.write(0, data);
    disk.cut('torn', seeded(seed));
    return disk.read(0, SECTOR);
  };
  const lengths = Array.from({ length: 50 }, (_, seed) =>
    torn(text, seed * 104_729).findLastIndex((octet) => octet > 0),
  );
  t.ok(new Set(lengths).size > 10, `text ends at ${[...new Set(lengths)].join()}`);
  for (let seed = 0; seed < 50; seed++) t.same(torn(filled(3), seed * 104_729), filled(0), 'nothing of other sectors');
});

t.test('no cut touches what is safe and was not written again', async () => {
  const write = fc.record({
    at: fc.nat(7),
    value: fc.integer({ min: 1, max: 255 }),
    sectors: fc.integer({ min: 1, max: 3 }),
  });
  const kinds = fc.constantFrom('dropped', 'kept', 'torn', 'disordered' as const);
  fc.assert(
    fc.property(fc.array(write), fc.array(write), kinds, fc.nat(), (safe, lost, kind, seed) => {
      const disk = new VolatileDisk(SIZE);
      for (const { at, value, sectors } of safe) disk.write(at * SECTOR, filled(value, sectors * SECTOR));
      disk.flush()();
      const before = content(disk);
      const touched = new Set<number>();
      for (const { at, value, sectors } of lost) {
        disk.write(at * SECTOR, filled(value, sectors * SECTOR));
        for (let sector = at; sector < at + sectors; sector++) touched.add(sector);
      }
      disk.cut(kind, seeded(seed));
      const after = content(disk);
      return Array.from({ length: 16 }, (_, sector) => sector).every((sector) => {
        const slice = (octets: Buffer) => octets.subarray(sector * SECTOR, (sector + 1) * SECTOR);
        return touched.has(sector) || slice(before).equals(slice(after));
      });
    }),
  );
});
