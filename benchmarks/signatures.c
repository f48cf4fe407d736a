/* MinHash signatures in a tight loop: what a compiler makes of the same arithmetic, without Python.
 * Built by benchmarks/limits.py; gives bit for bit what cqia.text.minhash gives. */
#include <stdint.h>
#include <stdlib.h>

#define BASE 0x9E3779B97F4A7C15ull
#define LANES 32

static inline uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCDull;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return value ^ (value >> 33);
}

static int64_t code_points(const uint8_t *at, const uint8_t *end, uint64_t *out) {
  int64_t count = 0;
  while (at < end) {
    uint32_t first = *at, point;
    if (first < 0x80) {
      point = first, at += 1;
    } else if (first < 0xE0) {
      point = (first & 0x1F) << 6 | (at[1] & 0x3F), at += 2;
    } else if (first < 0xF0) {
      point = (first & 0x0F) << 12 | (at[1] & 0x3F) << 6 | (at[2] & 0x3F), at += 3;
    } else {
      point = (first & 0x07) << 18 | (at[1] & 0x3F) << 12 | (at[2] & 0x3F) << 6 | (at[3] & 0x3F);
      at += 4;
    }
    out[count++] = (uint64_t)point + 1;
  }
  return count;
}

void signatures(const uint8_t *data, const int64_t *offsets, int64_t rows, int64_t ngram,
                const uint32_t *factors, const uint32_t *flips, int64_t permutations,
                uint32_t *out) {
  int64_t widest = 1;
  for (int64_t row = 0; row < rows; row++)
    if (offsets[row + 1] - offsets[row] > widest) widest = offsets[row + 1] - offsets[row];
  uint64_t *grams = malloc(sizeof(uint64_t) * widest);
  uint32_t *hashes = aligned_alloc(64, (sizeof(uint32_t) * (widest + LANES) + 63) / 64 * 64);
  for (int64_t row = 0; row < rows; row++) {
    int64_t length = code_points(data + offsets[row], data + offsets[row + 1], grams);
    int64_t size = ngram < length ? ngram : length, count = length ? length + 1 - size : 0;
    uint64_t power = 1, value = 0, leaving = 0;
    for (int64_t at = 0; at < size; at++) power *= BASE;
    for (int64_t at = 0; at < length; at++) {
      value = value * BASE + grams[at] - leaving * power;
      if (at + 1 >= size) {
        leaving = grams[at + 1 - size];
        hashes[at + 1 - size] = (uint32_t)(mix(value) >> 32);
      }
    }
    int64_t full = (count + LANES - 1) / LANES * LANES;
    for (int64_t at = count; at < full; at++) hashes[at] = hashes[0];
    for (int64_t place = 0; place < permutations; place++) {
      uint32_t factor = factors[place], flip = flips[place], least = 0xFFFFFFFFu;
      for (int64_t at = 0; at < full; at++) {
        uint32_t found = (hashes[at] ^ flip) * factor;
        least = found < least ? found : least;
      }
      out[row * permutations + place] = least;
    }
  }
  free(grams);
  free(hashes);
}
