import { isJsonObject, type Json, type JsonObject } from '../base/json.ts';

/** The tables in a field of an answer; none when it holds something else. */
export function tables(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export const table = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
