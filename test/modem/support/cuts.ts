import fc from 'fast-check';

/** Cuts a text at random places. */
export const cuts = (text: string) =>
  fc
    .array(fc.integer({ min: 0, max: text.length }), { maxLength: text.length })
    .map((places) => [0, ...places.sort((a, b) => a - b), text.length])
    .map((places) => places.slice(1).map((end, i) => text.slice(places[i], end)));
