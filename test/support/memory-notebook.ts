import type { Notebook } from '../../src/store/notes.ts';

/** A notebook that is only remembered. */
export function memoryNotebook(): Notebook {
  const notes = new Map<string, string>();
  return {
    get: (key) => notes.get(key),
    entries: () => [...notes],
    write: async (more) => {
      for (const [key, text] of Object.entries(more)) notes.set(key, text);
    },
    erase: async (keys) => {
      for (const key of keys) notes.delete(key);
    },
  };
}
