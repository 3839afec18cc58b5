// Unpacks a Brotli file: `unpack.mjs FROM TO`. Python has no Brotli of its own.
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [from, to] = process.argv.slice(2);
await pipeline(
  createReadStream(from),
  createBrotliDecompress({ chunkSize: 1 << 20 }),
  createWriteStream(to, { mode: 0o755 }),
);
