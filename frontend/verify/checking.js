// A worker, for one check after the other.

export class Checker {
  constructor () {
    this.address = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }))
    this.worker = new Worker(this.address)
    this.cancel = () => {}
  }

  // Resolves to the report, or to null where it was cancelled. Rejects where the browser cannot do it.
  // `again` says that it is the file of the check before, so that other keys cost no second reading.
  check (file, keys, witnesses, progress, again = false) {
    return new Promise((resolve, reject) => {
      this.cancel = () => {
        this.end()
        resolve(null)
      }
      this.worker.onerror = (event) => reject(new Error(event.message || 'The browser did not start the check.'))
      this.worker.onmessage = ({ data }) => {
        if (data.kind === 'progress') progress(data.done, data.total)
        else if (data.kind === 'result') resolve(data.report)
        else reject(new Error(data.message))
      }
      this.worker.postMessage({ file, keys, witnesses, again })
    })
  }

  end () {
    this.worker.terminate()
    URL.revokeObjectURL(this.address)
  }
}
