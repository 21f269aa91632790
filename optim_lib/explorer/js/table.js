// A figure's table as it travels: numbers packed by optim_lib/explorer/table.py, unpacked here and looked up.

export const UNITS = 4096;
export const DIVERGED = 65535;
export const STEPS = 65000;

// The arrays of a table, in the order of the spec's layout. `bytes` are compressed unless said otherwise.
export async function unpack(spec, bytes, compressed = true) {
  const raw = compressed ? await inflated(bytes) : bytes;
  let at = 0;
  return spec.layout.map(([kind, size, row]) => {
    const length = kind === "rows" ? 2 * size : kind === "field" ? 3 * size : Math.ceil(size / 8);
    const data = raw.subarray(at, (at += length));
    return kind === "rows" ? rows(data, size, row) : kind === "field" ? field(data, size, row) : data;
  });
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// 16-bit words, high bytes first, zigzag, second differences along each row.
export function rows(data, size, row) {
  const out = new Uint16Array(size);
  for (let i = 0; i < size; i++) {
    const word = (data[i] << 8) | data[size + i];
    const residual = (word >> 1) ^ -(word & 1);
    const k = i % row;
    out[i] = residual + (k > 0 ? 2 * out[i - 1] : 0) - (k > 1 ? out[i - 2] : 0);
  }
  return out;
}

// 24-bit words, high bytes first, zigzag, third differences along both axes.
export function field(data, size, row) {
  const out = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const word = (data[i] << 16) | (data[size + i] << 8) | data[2 * size + i];
    out[i] = (word >> 1) ^ -(word & 1);
  }
  for (let pass = 0; pass < 3; pass++) for (let i = row; i < size; i++) out[i] = (out[i] + out[i - row]) & 0xffffff;
  for (let pass = 0; pass < 3; pass++)
    for (let i = 0; i < size; i++) if (i % row) out[i] = (out[i] + out[i - 1]) & 0xffffff;
  return Float32Array.from(out, (v) => v / 0xffffff);
}

export const bit = (mask, i) => (mask[i >> 3] >> (7 - (i & 7))) & 1;

// Losses come as codes: a decade has 900, one for each number of three digits.
export const decade = (code) => Math.floor(code / 900) - 18 + Math.log10((code % 900) + 100);

export const lossOf = (code) => ((code % 900) + 100) * 10 ** (Math.floor(code / 900) - 18);

// What a code of a panel of curves stands for on its axis (a decade, if that is logarithmic).
export function level(panel, code) {
  return panel.log ? decade(code) : panel.range[0] + (code / STEPS) * (panel.range[1] - panel.range[0]);
}
