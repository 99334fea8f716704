import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty folder, a new one with each call, unlike `t.testdir`. Removed when the test ends. */
export function newFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'smsgw-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
