// The peer of `bluelamp bench ingest`: @tus/server with its file store, on the loopback.
// Arguments: port, folder, and for TLS the files of certificate and key.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [port, directory, certificate, key] = process.argv.slice(2);
const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
const where = { host: "127.0.0.1", port: Number(port) };
if (certificate) {
  const files = { cert: readFileSync(certificate), key: readFileSync(key) };
  createServer(files, (request, response) => server.handle(request, response)).listen(where);
} else {
  server.listen(where);
}
