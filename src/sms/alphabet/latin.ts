import { changeTable, drawTable, type Table } from './table.ts';

/** GSM 7-bit default alphabet, TS 23.038 6.2.1. */
export const DEFAULT_LOCKING: Table = drawTable(
  '@£$¥èéùìòÇ\nØø\rÅå' +
    'Δ_ΦΓΛΩΠΨΣΘΞ␛ÆæßÉ' +
    ' !"#¤%&\'()*+,-./' +
    '0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNO' +
    'PQRSTUVWXYZÄÖÑÜ§' +
    '¿abcdefghijklmno' +
    'pqrstuvwxyzäöñüà',
);

/** Its extension table, TS 23.038 6.2.1.1. */
export const DEFAULT_SINGLE: Table = changeTable(drawTable('·'.repeat(128)), {
  10: '\f',
  20: '^',
  40: '{',
  41: '}',
  47: '\\',
  60: '[',
  61: '~',
  62: ']',
  64: '|',
  101: '€',
});

// TS 23.038 A.2 (single shift) and A.3 (locking shift); Spanish has no locking shift table.

export const TURKISH_LOCKING: Table = changeTable(DEFAULT_LOCKING, {
  4: '€',
  7: 'ı',
  11: 'Ğ',
  12: 'ğ',
  28: 'Ş',
  29: 'ş',
  64: 'İ',
  96: 'ç',
});

export const TURKISH_SINGLE: Table = changeTable(DEFAULT_SINGLE, {
  71: 'Ğ',
  73: 'İ',
  83: 'Ş',
  99: 'ç',
  103: 'ğ',
  105: 'ı',
  115: 'ş',
});

export const SPANISH_SINGLE: Table = changeTable(DEFAULT_SINGLE, {
  9: 'ç',
  65: 'Á',
  73: 'Í',
  79: 'Ó',
  85: 'Ú',
  97: 'á',
  105: 'í',
  111: 'ó',
  117: 'ú',
});

export const PORTUGUESE_LOCKING: Table = drawTable(
  '@£$¥êéúíóç\nÔô\rÁá' +
    'Δ_ªÇÀ∞^\\€Ó|␛ÂâÊÉ' +
    ' !"#º%&\'()*+,-./' +
    '0123456789:;<=>?' +
    'ÍABCDEFGHIJKLMNO' +
    'PQRSTUVWXYZÃÕÚÜ§' +
    '~abcdefghijklmno' +
    'pqrstuvwxyzãõ`üà',
);

export const PORTUGUESE_SINGLE: Table = changeTable(DEFAULT_SINGLE, {
  5: 'ê',
  9: 'ç',
  11: 'Ô',
  12: 'ô',
  14: 'Á',
  15: 'á',
  18: 'Φ',
  19: 'Γ',
  21: 'Ω',
  22: 'Π',
  23: 'Ψ',
  24: 'Σ',
  25: 'Θ',
  31: 'Ê',
  65: 'À',
  73: 'Í',
  79: 'Ó',
  85: 'Ú',
  91: 'Ã',
  92: 'Õ',
  97: 'Â',
  105: 'í',
  111: 'ó',
  117: 'ú',
  123: 'ã',
  124: 'õ',
  127: 'â',
});
