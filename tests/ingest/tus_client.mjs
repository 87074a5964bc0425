// tus-js-client as a foreign dock: node tus_client.mjs ENDPOINT FILE OPTIONS (JSON; `abortAfter` bytes ends it early).
// Prints one line of JSON: {url, error, status, sent}.
import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { Upload } from "tus-js-client";

const [endpoint, path, raw] = process.argv.slice(2);
const { abortAfter, stream, ...options } = JSON.parse(raw);
let sent = 0;
const file = createReadStream(path);
const source = stream ? file.pipe(new PassThrough()) : file; // as a stream its length is not known
const told = (more) => {
  console.log(JSON.stringify({ url: upload.url, sent, error: null, status: null, ...more }));
  process.exit(0);
};
const upload = new Upload(source, {
  endpoint,
  retryDelays: [0, 200, 500, 1000, 2000],
  ...(stream ? { uploadLengthDeferred: true } : {}),
  ...options,
  onProgress: (bytes) => {
    sent = bytes;
    if (abortAfter && bytes >= abortAfter) upload.abort().then(() => told({ error: "aborted" }));
  },
  onError: (error) => told({ error: error.message, status: error.originalResponse?.getStatus() ?? null }),
  onSuccess: () => told({}),
});
upload.start();
