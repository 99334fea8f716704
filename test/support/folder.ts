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

/**
 * `t.testdir`, removed after all teardowns: whoever writes in it has stopped by then. tap runs in front of the teardowns what
 * was registered before the first of them.
 */
export function testFolder(t: Test, content?: Parameters<Test['testdir']>[0]): string {
  t.teardown(() => undefined);
  return t.testdir(content);
}
