// From the text that Python wrote to values: JSON that was compressed, and typed arrays in it.

const KINDS = { i1: [Int8Array, -128], i2: [Int16Array, -32768], f4: [Float32Array, NaN] };

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function decompress(id) {
  const stream = new Blob([bytesOf(document.getElementById(id).textContent)]).stream();
  return JSON.parse(await new Response(stream.pipeThrough(new DecompressionStream('gzip'))).text());
}

// An array of any shape, read by indices: a.at(i, j). What is missing is NaN.
class Packed {
  constructor({ type, shape, bytes }) {
    const [Kind, missing] = KINDS[type];
    this.values = new Kind(bytesOf(bytes).buffer);
    this.missing = missing;
    this.shape = shape;
  }
  at(...index) {
    let place = 0;
    for (let d = 0; d < index.length; d++) place = place * this.shape[d] + index[d];
    const value = this.values[place];
    return value === this.missing ? NaN : value;
  }
  row(...index) {
    const n = this.shape[this.shape.length - 1];
    return Array.from({ length: n }, (_, k) => this.at(...index, k));
  }
}
