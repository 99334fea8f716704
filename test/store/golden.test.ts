/**
 * Journals that version 0.1.0 wrote: as they were appended, and compacted. Every later version loads them. `v1.json` is what
 * version 0.1.0 itself showed of them.
 */

import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Bus } from '../../src/base/bus.ts';
import { createLogger } from '../../src/base/log.ts';
import type { GatewayEvents } from '../../src/rpc/events.ts';
import type { MessageId } from '../../src/store/message.ts';
import { decodeRecord, encodeRecord } from '../../src/store/outbox/records.ts';
import { Store } from '../../src/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';

const golden = (name: string) => new URL(`golden/${name}`, import.meta.url);
const shown = JSON.parse(readFileSync(golden('v1.json'), 'utf8'));

const policy = {
  sync: 'always',
  inbox: { capacity: 100, evict: false, partTimeoutHours: 24 },
  outbox: {
    queueLimit: 1000,
    validitySeconds: 48 * 3600,
    ambiguous: 'hold',
    keepDays: 30,
    keepCount: 1000,
    transliterate: false,
    nationalTables: [],
  },
} as const;

/** As JSON has it: no fields that are undefined. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

const files = ['v1-written.journal', 'v1-compacted.journal'];

t.test('records of the outbox are written as version 0.1.0 wrote them', async (t) => {
  const kinds = new Set<string>();
  for (const file of files) {
    for (const line of readFileSync(golden(file), 'utf8').trimEnd().split('\n')) {
      // A checksum of eight digits and a blank, then [table, record, ...].
      const entries = JSON.parse(line.slice(9));
      for (let at = 0; at < entries.length; at += 2) {
        if (entries[at] !== 'out') continue;
        const record = decodeRecord(entries[at + 1]);
        t.same(record && plain(encodeRecord(record)), entries[at + 1]);
        kinds.add(entries[at + 1].k);
      }
    }
  }
  t.ok(
    ['submit', 'a', 'o', 'n', 'r', 'e', 't', 'd', 'p'].every((kind) => kinds.has(kind)),
    [...kinds].join(),
  );
});

t.test('a submit record that lacks a field, or has it of another kind, is none', async (t) => {
  const whole = {
    ...{ k: 'submit', id: 1, number: '+37060000001', content: { type: 'text', text: 'x' }, encoding: 'gsm7', parts: 1 },
    ...{ time: 1, expires: 2, priority: 1, source: 'rpc' },
  };
  t.ok(decodeRecord(whole));
  for (const key of Object.keys(whole)) {
    const { [key as 'id']: _, ...rest } = whole;
    t.equal(decodeRecord(rest), undefined, `without ${key}`);
    t.equal(decodeRecord({ ...whole, [key]: [] }), undefined, `${key} as a list`);
  }
  t.equal(decodeRecord({ ...whole, content: { type: 'data', data: '00' } }), undefined, 'data without a DCS');
  const binary = { type: 'data', dcs: 4, udh: '0504158200ff', data: '00FF' };
  t.ok(decodeRecord({ ...whole, content: binary }));
  for (const no of [{ data: '0' }, { data: '0g' }, { udh: 'x' }]) {
    t.equal(decodeRecord({ ...whole, content: { ...binary, ...no } }), undefined, JSON.stringify(no));
  }
  t.equal(decodeRecord({ ...whole, expires: JSON.parse('1e999') }), undefined, 'no number that JSON writes');
});

for (const file of files) {
  t.test(file, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'golden-'));
    copyFileSync(golden(file), join(directory, 'journal'));
    chmodSync(join(directory, 'journal'), 0o600);
    const lines: string[] = [];
    const log = createLogger({ level: 'warning', write: (line) => void lines.push(line) });
    const clock = new ManualClock(shown.now);
    const store = await Store.open({ directory, clock, log, policy, bus: new Bus<GatewayEvents>(log) });
    const { inbox, outbox, deliveries, notes } = store;
    t.teardown(async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    });

    t.same(lines, [], 'nothing in it is foreign');
    t.same(plain((await inbox.list({ limit: 1000 })).messages), shown.inbox, 'inbox');
    t.same(plain((await outbox.list({ limit: 1000 })).messages), shown.outbox, 'outbox');
    t.same(inbox.total(), shown.total, 'totals');
    t.same({ ...outbox.counts(), doubled: 0 }, shown.counts, 'states');
    t.equal(outbox.preferred, shown.preferred, 'the preferred modem');
    t.same(inbox.table.undispatched(), shown.undispatched, 'messages that no module was asked about');
    for (const [module, count] of Object.entries(shown.pending)) t.equal(deliveries.pending(module), count, module);
    t.equal(
      (await inbox.content(4 as MessageId))?.text,
      shown.held.deleted_and_held,
      'a deleted message that is still to be forwarded',
    );
    t.equal(await inbox.content(5 as MessageId), undefined, 'a deleted one');
    t.equal(notes.book('scheduled').get('daily'), '2026-01-01T08:00', 'notes');
    t.equal(notes.book('scheduled').get('gone'), undefined, 'erased notes');
    t.same(notes.book('pop3').entries(), shown.notes.pop3, 'notes of another module');
  });
}
