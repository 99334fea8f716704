import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLogger } from '../../src/base/log.ts';
import { Journal } from '../../src/store/journal/journal.ts';
import { Notes } from '../../src/store/notes.ts';
import { testFolder } from '../support/folder.ts';
import { ManualClock } from '../support/manual-clock.ts';

async function open(t: Test, directory: string, compactFrom?: number): Promise<{ notes: Notes; journal: Journal }> {
  const journal = new Journal({
    directory: join(directory, 'state'),
    clock: new ManualClock(),
    log: createLogger({ level: 'error', write: (line) => t.fail(line) }),
    ...(compactFrom !== undefined && { compactFrom }),
  });
  const notes = new Notes(journal);
  await journal.open();
  return { notes, journal };
}

t.test('what is written is there after a restart, and what is erased is not', async (t) => {
  const directory = testFolder(t);
  const first = await open(t, directory);
  const book = first.notes.book('pop3');
  t.strictSame(book.entries(), []);
  await book.write({ a: '1', b: '2', c: '3' });
  await book.write({ a: '4' });
  await book.erase(['b', 'never there']);
  await first.notes.book('other').write({ a: 'ą\n' });
  const present = [
    ['c', '3'],
    ['a', '4'],
  ];
  t.strictSame(book.entries(), present);
  await first.journal.close();

  const second = await open(t, directory);
  t.strictSame(second.notes.book('pop3').entries(), present);
  t.equal(second.notes.book('pop3').get('b'), undefined);
  t.equal(second.notes.book('other').get('a'), 'ą\n');
  await second.journal.close();
});

t.test('compaction keeps what is there', async (t) => {
  const directory = testFolder(t);
  const first = await open(t, directory, 2_000);
  const book = first.notes.book('pop3');
  for (let i = 0; i < 200; i++) {
    await book.write({ last: `${i}`, [`k${i}`]: 'x'.repeat(50) });
    await book.erase([`k${i}`]);
  }
  t.strictSame(book.entries(), [['last', '199']]);
  t.ok((first.journal.status() as { size: number }).size < 10_000, 'it was compacted');
  await first.journal.close();
  const second = await open(t, directory);
  t.strictSame(second.notes.book('pop3').entries(), [['last', '199']]);
  await second.journal.close();
});

t.test('bounds', async (t) => {
  const { notes, journal } = await open(t, testFolder(t));
  const book = notes.book('pop3');
  await t.rejects(book.write({ k: 'x'.repeat(1_001) }), { code: 'too_large' });
  const many = (from: number) =>
    Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${from + i}`, 'x'] as const));
  await book.write(many(0));
  await book.write(many(5_000));
  await t.rejects(book.write({ k: 'x' }), { code: 'too_large' });
  t.equal(book.entries().length, 10_000);
  await journal.close();
});
