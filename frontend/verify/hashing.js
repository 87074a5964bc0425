// SHA-256 and SHA-512 from WebAssembly: WebCrypto's digest wants all bytes at once, which a video of gigabytes has not.

import { createSHA256, createSHA512 } from 'hash-wasm'

let whole
let wide

export const prepareHashing = async () => {
  whole ??= await createSHA256()
  wide ??= await createSHA512()
}

export const sha256 = (bytes) => whole.init().update(bytes).digest('binary')

export const sha512 = (bytes) => wide.init().update(bytes).digest('binary')

// For a stream: update(bytes), then digest() as hexadecimal text.
export const streamingSha256 = async () => (await createSHA256()).init()
