'use strict';
'require baseclass';

/*
 * Tokens of the REST interface, made where they are shown: `smsgw_`, eight digits that find the section, `_`, and 256
 * random bits; the config has only their SHA-256. The Web Crypto API gives random numbers on every page, but hashes only
 * on those of HTTPS, which few routers have: so this is FIPS 180-4, 6.2.
 */

/* The first 32 bits behind the point of the cube roots of the first 64 primes (4.2.2). */
const K = new Uint32Array([
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
]);

function rotate(word, bits) {
	return (word >>> bits) | (word << (32 - bits));
}

/* Takes a block of 16 words into the state (6.2.2). */
function digest(state, block) {
	const w = new Uint32Array(64);
	let [ a, b, c, d, e, f, g, h ] = state;

	w.set(block);
	for (let t = 16; t < 64; t++) {
		const s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >>> 3),
		      s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >>> 10);

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}

	for (let t = 0; t < 64; t++) {
		const t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t],
		      t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

		[ h, g, f, e, d, c, b, a ] = [ g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0 ];
	}

	[ a, b, c, d, e, f, g, h ].forEach(function(word, i) { state[i] += word; });
}

/* The SHA-256 of an ASCII text, in hexadecimal. */
function sha256(text) {
	const count = ((text.length + 8) >> 6) + 1,
	      words = new Uint32Array(16 * count),
	      state = new Uint32Array([
		      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
	      ]);

	for (let i = 0; i < text.length; i++)
		words[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));

	/* A single bit behind the text, and its length in bits at the end (5.1.1). */
	words[text.length >> 2] |= 0x80 << (24 - 8 * (text.length & 3));
	words[words.length - 1] = 8 * text.length;

	for (let i = 0; i < count; i++)
		digest(state, words.subarray(16 * i, 16 * i + 16));

	return hexOf(state, 8);
}

function hexOf(numbers, digits) {
	return Array.from(numbers, function(number) { return number.toString(16).padStart(digits, '0'); }).join('');
}

return baseclass.extend({
	sha256: sha256,

	/* A new token, and what the option `hash` holds of it. */
	make: function() {
		const id = hexOf(crypto.getRandomValues(new Uint8Array(4)), 2),
		      bits = String.fromCharCode.apply(null, crypto.getRandomValues(new Uint8Array(32))),
		      secret = btoa(bits).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ''),
		      token = 'smsgw_' + id + '_' + secret;

		return { token: token, hash: id + ':' + sha256(token) };
	}
});
